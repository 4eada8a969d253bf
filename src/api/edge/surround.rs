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

/// What the layers need.
pub struct Edge {
    pub identify: Identify,
    /// The web pages that may call the API.
    pub origins: Origins,
    pub rate_limits: RateLimits,
}

/// Puts the layers around routes. A request passes them from the last line to the first; its answer passes them from
/// the first to the last.
pub fn surround(route: Route, edge: Edge, routes: RouteTable) -> impl Endpoint<Output = Response> + 'static {
    let routes = Arc::new(routes);
    route
        // A body is counted while it is read, so that its refusal is a problem like any other.
        .layer(LimitBodies)
        .layer(DemandPlainBodies)
        .layer(LimitHeads)
        // A request that takes too long fails like any other.
        .layer(AnswerInTime { limit: ANSWER_WITHIN })
        // Below this layer things fail; above it there are only answers.
        .layer(CatchAll { routes: Arc::clone(&routes) })
        // Each layer holds the future of the one below, and would move it again and again: a box keeps it in one place.
        .boxed()
        // Refusals count as well, and carry the same headers as other answers.
        .layer(LimitRate { limits: edge.rate_limits, routes: Arc::clone(&routes) })
        // The rate limit depends on the caller, so the caller must be known first.
        .layer(edge.identify)
        .boxed()
        // Above everything that makes an answer; below compression, which changes the tag.
        .layer(TagReads)
        .layer(AnswerNotModified)
        .layer(CompressAnswers::default())
        .boxed()
        // A preflight has no token and is not counted. Browsers need these headers to read any answer.
        .layer(AllowOrigins(edge.origins))
        // It logs the answer that leaves.
        .layer(LogRequests::new(routes))
        // Outermost: every answer and every log line has the request's id.
        .layer(NameRequests)
}
