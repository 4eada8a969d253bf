//! For whoever watches over a process, whatever it does: that it lives, that it can do its work, and what it counts. They
//! have a listener of their own (`SONGDA_WATCH_LISTEN`), because what is counted is not for the public.

pub mod metrics;
pub mod ready;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Response, Route, get};

use super::alive;
use crate::api::edge::middleware::allowed::Allowed;
use crate::api::edge::middleware::catch_all::CatchAll;

/// What the routes are made of.
pub struct Parts {
    /// `/readyz`
    pub ready: BoxEndpoint<'static>,
    /// `/metrics`
    pub metrics: BoxEndpoint<'static>,
}

/// Everything that the watch listener answers to.
pub fn routes(Parts { ready, metrics }: Parts) -> impl Endpoint<Output = Response> + 'static {
    let allowed = ["/healthz", "/readyz", "/metrics"].into_iter().fold(Allowed::default(), Allowed::with_page);
    Route::new()
        .at("/healthz", get(alive()))
        .at("/readyz", get(ready))
        .at("/metrics", get(metrics))
        .with(CatchAll { allowed: Arc::new(allowed) })
}
