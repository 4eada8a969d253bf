//! Puts the layers (middleware) around all routes, in the right order.

use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, EndpointExt, Response, Route};

use crate::api::edge::limits::body_limit::LimitBodies;
use crate::api::edge::limits::head_limit::LimitHeads;
use crate::api::edge::limits::rate_limit::{LimitRate, RateLimits};
use crate::api::edge::middleware::catch_all::CatchAll;
use crate::api::edge::middleware::compression::CompressAnswers;
use crate::api::edge::middleware::cors::{AllowOrigins, Origins};
use crate::api::edge::middleware::identify::Identify;
use crate::api::edge::middleware::in_time::AnswerInTime;
use crate::api::edge::middleware::layer::WithLayer;
use crate::api::edge::middleware::not_modified::AnswerNotModified;
use crate::api::edge::middleware::plain_bodies::DemandPlainBodies;
use crate::api::edge::middleware::request_id::NameRequests;
use crate::api::edge::middleware::request_log::LogRequests;
use crate::api::edge::middleware::safe_headers::ProtectAnswers;
use crate::api::edge::middleware::tagged::TagReads;
use crate::api::edge::proxies::Proxies;
use crate::api::edge::route_table::RouteTable;

/// The settings of the layers.
pub struct Edge {
    pub identify: Identify,
    /// The web origins whose pages may call the API.
    pub origins: Origins,
    pub rate_limits: RateLimits,
    pub protect: ProtectAnswers,
    pub proxies: Proxies,
    /// The time-out of all requests except uploads.
    pub answer_within: Duration,
}

/// Puts the layers around the routes. A request passes the layers from the last line to the first. Its response passes
/// them from the first line to the last.
pub fn surround(route: Route, edge: Edge, routes: RouteTable) -> impl Endpoint<Output = Response> + 'static {
    let routes = Arc::new(routes);
    route
        // Inside of `CatchAll`, which turns the errors of these layers into responses.
        .layer(LimitBodies)
        .layer(DemandPlainBodies)
        .layer(LimitHeads)
        .layer(AnswerInTime { limit: edge.answer_within })
        // Turns every failure into a response. The layers in the lines below never see an error.
        .layer(CatchAll { routes: Arc::clone(&routes) })
        // The future of a layer contains the future of its inner endpoint, so it grows with each layer. A box keeps
        // large futures from being moved again and again.
        .boxed()
        // Outside of `CatchAll`, so that error responses also count against the limit, and also have the rate-limit
        // headers.
        .layer(LimitRate { limits: edge.rate_limits, routes: Arc::clone(&routes) })
        // Outside of the rate limit, because the limit depends on the caller.
        .layer(edge.identify)
        .boxed()
        // Inside of compression, which changes the ETag.
        .layer(TagReads)
        .layer(AnswerNotModified)
        .layer(CompressAnswers::default())
        .boxed()
        // Outside of the rate limit, because a preflight request has no token, and because browsers need the CORS
        // headers to read any response.
        .layer(AllowOrigins(edge.origins))
        .layer(LogRequests::new(routes))
        .layer(edge.protect)
        // Outermost, so that every response and every log line has the request's id.
        .layer(NameRequests { proxies: edge.proxies })
}
