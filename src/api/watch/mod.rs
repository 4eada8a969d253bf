//! The listener for monitoring (`SONGDA_WATCH_LISTEN`): health, readiness and metrics of a process. It has its own
//! port, because metrics must not be public.

pub mod metrics;
pub mod ready;
mod remembered;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, Response, Route, get};

use crate::api::edge::middleware::catch_all::CatchAll;
use crate::api::edge::middleware::layer::WithLayer;
use crate::api::edge::middleware::safe_headers::ProtectAnswers;
use crate::api::edge::route_table::RouteTable;
use crate::api::pages::alive;

pub struct WatchParts {
    /// The readiness endpoint, `/readyz`.
    pub ready: BoxEndpoint<'static>,
    /// The metrics endpoint, `/metrics`.
    pub metrics: BoxEndpoint<'static>,
}

pub fn routes(WatchParts { ready, metrics }: WatchParts) -> impl Endpoint<Output = Response> + 'static {
    let routes = ["/healthz", "/readyz", "/metrics"].into_iter().fold(RouteTable::default(), RouteTable::with_page);
    Route::new()
        .at("/healthz", get(alive()))
        .at("/readyz", get(ready))
        .at("/metrics", get(metrics))
        .layer(CatchAll { routes: Arc::new(routes) })
        .layer(ProtectAnswers { has_tls: false })
}
