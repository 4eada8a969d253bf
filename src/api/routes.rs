//! Combines all routes of the server, and puts the shared layers around them.

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, Response, Route, get};

use crate::api::audiences::{AUDIENCES, Audience};
use crate::api::documents::DocumentsError;
use crate::api::edge::surround::{Edge, surround};
use crate::api::pages::{pages, route_table};
use crate::api::services::Services;

pub struct ApiParts {
    pub services: Services,
    /// The routes below `/callbacks`, for carriers and platforms.
    pub callbacks: Route,
    /// The readiness endpoint, `/readyz`.
    pub ready: BoxEndpoint<'static>,
    pub edge: Edge,
}

/// Builds all routes. Fails if an OpenAPI document breaks a documentation rule: the server must not start then.
pub fn routes(parts: ApiParts) -> Result<impl Endpoint<Output = Response> + 'static, DocumentsError> {
    let mut route = pages(&parts.edge)?.nest("/callbacks", parts.callbacks).at("/readyz", get(parts.ready));
    for Audience { prefix, api, about, .. } in &AUDIENCES {
        route = route.nest_no_strip(*prefix, api.endpoint(&parts.services, about));
    }
    Ok(surround(route, parts.edge, route_table()))
}
