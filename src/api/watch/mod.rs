//! The watch listener (`SONGDA_WATCH_LISTEN`) of a process: that it is alive, that it can do its work, and its metrics.
//! It is a listener of its own, because metrics are not for the public.

pub mod metrics;
pub mod ready;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, Response, Route, get};

use crate::api::edge::middleware::catch_all::CatchAll;
use crate::api::edge::middleware::layer::WithLayer;
use crate::api::edge::route_table::RouteTable;
use crate::api::pages::alive;

pub struct WatchParts {
    /// `/readyz`
    pub ready: BoxEndpoint<'static>,
    /// `/metrics`
    pub metrics: BoxEndpoint<'static>,
}

/// Everything that the watch listener answers to.
pub fn routes(WatchParts { ready, metrics }: WatchParts) -> impl Endpoint<Output = Response> + 'static {
    let routes = ["/healthz", "/readyz", "/metrics"].into_iter().fold(RouteTable::default(), RouteTable::with_page);
    Route::new()
        .at("/healthz", get(alive()))
        .at("/readyz", get(ready))
        .at("/metrics", get(metrics))
        .layer(CatchAll { routes: Arc::new(routes) })
}
