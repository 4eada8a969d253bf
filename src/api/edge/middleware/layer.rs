//! A middleware is its behaviour: it implements [`Layer`], and [`WithLayer::layer`] puts it around an endpoint. Layers
//! are static: a call passes through them without an allocation.

use std::future::Future;

use poem::{Endpoint, Request, Response, Result};

/// What a layer does with a request, and with the answer of `inner`, the endpoint below it.
pub trait Layer: Send + Sync + 'static {
    fn answer(
        &self,
        request: Request,
        inner: &impl Endpoint<Output = Response>,
    ) -> impl Future<Output = Result<Response>> + Send;
}

pub trait WithLayer: Endpoint<Output = Response> + Sized {
    /// Puts a layer around this endpoint.
    fn layer<L: Layer>(self, layer: L) -> Layered<L, Self> {
        Layered { layer, inner: self }
    }
}

impl<E: Endpoint<Output = Response>> WithLayer for E {}

/// An endpoint with a layer around it.
pub struct Layered<L, E> {
    layer: L,
    inner: E,
}

impl<L: Layer, E: Endpoint<Output = Response>> Endpoint for Layered<L, E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        self.layer.answer(request, &self.inner)
    }
}
