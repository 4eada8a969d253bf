//! The layers around all routes, in their order.

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};

use crate::api::edge::limits::body_limit::LimitBodies;
use crate::api::edge::limits::head_limit::LimitHeads;
use crate::api::edge::limits::rate_limit::{LimitRate, RateLimits};
use crate::api::edge::middleware::catch_all::CatchAll;
use crate::api::edge::middleware::compression::CompressAnswers;
use crate::api::edge::middleware::cors::{AllowOrigins, Origins};
use crate::api::edge::middleware::identify::Identify;
use crate::api::edge::middleware::in_time::{ANSWER_WITHIN, AnswerInTime};
use crate::api::edge::middleware::layer::WithLayer;
use crate::api::edge::middleware::not_modified::AnswerNotModified;
use crate::api::edge::middleware::plain_bodies::DemandPlainBodies;
use crate::api::edge::middleware::request_id::NameRequests;
use crate::api::edge::middleware::request_log::LogRequests;
use crate::api::edge::middleware::tagged::TagReads;
use crate::api::edge::route_table::RouteTable;

/// The settings of the layers.
pub struct Edge {
    pub identify: Identify,
    /// The web pages that may call the API.
    pub origins: Origins,
    pub rate_limits: RateLimits,
}

/// Puts the layers around the routes. Requests pass the layers from the last line to the first, answers from the first
/// line to the last.
pub fn surround(route: Route, edge: Edge, routes: RouteTable) -> impl Endpoint<Output = Response> + 'static {
    let routes = Arc::new(routes);
    route
        // Inside of `CatchAll`, because a body that is too large is a problem.
        .layer(LimitBodies)
        .layer(DemandPlainBodies)
        .layer(LimitHeads)
        .layer(AnswerInTime { limit: ANSWER_WITHIN })
        // Turns every failure into an answer. The layers in the lines below see answers only.
        .layer(CatchAll { routes: Arc::clone(&routes) })
        // A layer contains the future of its inner endpoint. The box prevents that large futures are moved again and
        // again.
        .boxed()
        // Outside of `CatchAll`, so that problems also count, and also have the headers.
        .layer(LimitRate { limits: edge.rate_limits, routes: Arc::clone(&routes) })
        // Outside of the rate limit, which depends on the caller.
        .layer(edge.identify)
        .boxed()
        // Inside of compression, which changes the tag.
        .layer(TagReads)
        .layer(AnswerNotModified)
        .layer(CompressAnswers::default())
        .boxed()
        // Outside of the rate limit: a preflight request has no token. Browsers need the headers to read any answer.
        .layer(AllowOrigins(edge.origins))
        .layer(LogRequests::new(routes))
        // Outermost, so that every answer and every log line has the request's id.
        .layer(NameRequests)
}
