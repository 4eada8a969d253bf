//! The trait of middleware: a middleware implements [`Layer`], and [`WithLayer::layer`] puts it around an endpoint. A
//! call through a layer allocates no memory, because the types of layer and endpoint are static.

use std::future::Future;

use poem::{Endpoint, Request, Response, Result};

pub trait Layer: Send + Sync + 'static {
    /// Handles a request and returns the response, usually by calling `inner`, the endpoint that this layer surrounds.
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send;
}

pub trait Inner: Endpoint<Output = Response> {}

impl<E: Endpoint<Output = Response>> Inner for E {}

pub trait WithLayer: Endpoint<Output = Response> + Sized {
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
