//! The routes that belong to no audience: OpenAPI documents and the API reference, problem pages, public keys, and
//! health.

use poem::http::Method;
use poem::{Route, get};

use crate::api::audiences::AUDIENCES;
use crate::api::documents::{Document, DocumentsError, documents};
use crate::api::edge::answers::fixed::Fixed;
use crate::api::edge::answers::{problem_pages, reference};
use crate::api::edge::openapi::document::About;
use crate::api::edge::route_table::RouteTable;
use crate::api::edge::surround::Edge;
use crate::api::public_keys::PublicKeys;

/// Builds the routes that need no database. Fails if an OpenAPI document breaks a documentation rule.
pub fn pages(edge: &Edge) -> Result<Route, DocumentsError> {
    let mut route = Route::new()
        .nest_no_strip("/problems", problem_pages::route())
        .at("/healthz", get(alive()))
        .at("/.well-known/jwks.json", get(PublicKeys(edge.identify.tokens.clone())))
        .at("/reference/rapidoc.js", get(reference::script()));
    for Document { about: About { file, title, .. }, text, .. } in documents()? {
        route = route
            .at(format!("/openapi/{file}.json"), get(Fixed::new("application/json", text)))
            .at(format!("/reference/{file}"), get(reference::page(file, title)));
    }
    Ok(route)
}

/// `/healthz`: succeeds while the process can respond to requests.
pub fn alive() -> Fixed {
    Fixed::new("application/json", r#"{"status":"ok"}"#)
}

/// All paths of the server, with their methods.
pub fn route_table() -> RouteTable {
    let operations = AUDIENCES.iter().flat_map(|audience| audience.api.operations()).collect();
    let audiences = RouteTable::default().with_operations(operations);
    let pages = [
        "/healthz",
        "/readyz",
        "/.well-known/jwks.json",
        "/openapi/{file}",
        "/reference/{page}",
        "/problems",
        "/problems/{code}",
    ];
    let callbacks = audiences.with_address("/callbacks/{gateway}/{secret}", &[Method::GET, Method::POST]);
    pages.into_iter().fold(callbacks, RouteTable::with_page)
}
