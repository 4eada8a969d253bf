//! HTTP in: one folder per audience, and the [`edge`] that they share.
//!
//! # How to write an operation
//!
//! 1. Its file is `<audience>/<noun>.rs`: a struct that holds what it needs (use cases, a [`edge::paging::Cursors`]), and
//!    `#[OpenApi(prefix_path = "/v1", tag = "Tag::Cases")] impl` on it. All methods of one path belong to one `impl`.
//! 2. `/// One line.` (its summary) `#[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]`.
//! 3. Whom it serves is its first argument: `person: Person`, `Officer`, `Operator` or `Client`. One that serves anybody
//!    is listed by its id under `open` in the audience's `ABOUT`.
//! 4. A body is `body: Body<NewCase>`, which its documented schema judges; types derive `Object` with `#[oai(deny_unknown_fields, example)]`. Ids are typed:
//!    `id: Path<CaseId>`. `if_match: IfMatch`, `if_match: CreateOrMatch` and `idempotency_key: IdempotencyKey` go by these
//!    names; other headers are `#[oai(name = "Last-Event-ID")] last: Header<Option<String>>`.
//! 5. It returns `Result<T, Problem>`: `T` is [`edge::answers::Versioned`] (200 with ETag; 304 is answered for it),
//!    [`edge::answers::Created`] (201), `Json<Page<…>>` for a list, or derives `ApiResponse`.
//! 6. `impl From<DecideError> for Problem` stands beside it, so `?` is enough. A new kind of problem is a line in
//!    [`edge::code`]. Which problems it documents is derived from the above; what cannot be, its return type names
//!    ([`edge::problem_of`]).
//! 7. With an `Idempotency-Key`: pass `idempotency_key.once(person.id, "submit_case", body.raw())` to the use case, with
//!    what turns its outcome into an `Answer` (`Created { … }.into()`), and return `Answered<Created<CaseView>>`, made
//!    from the `Given` that comes back.
//! 8. Add the struct to the audience's `Api` tuple, run `cargo run -- openapi`, and commit the changed document.

pub mod callbacks;
pub mod documents;
pub mod edge;
pub mod integration;
pub mod mobile;
pub mod ops;
pub mod public_keys;
pub mod shared;
pub mod staff;
pub mod watch;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};

use self::documents::{Document, DocumentsError, documents};
use self::edge::openapi::About;
use self::public_keys::PublicKeys;
use crate::api::edge::answers::etag::AnswerNotModified;
use crate::api::edge::answers::fixed::Fixed;
use crate::api::edge::answers::{problem_pages, reference};
use crate::api::edge::limits::body_limit::LimitBodies;
use crate::api::edge::limits::head_limit::LimitHeads;
use crate::api::edge::limits::rate_limit::LimitRate;
use crate::api::edge::middleware::allowed::Allowed;
use crate::api::edge::middleware::catch_all::CatchAll;
use crate::api::edge::middleware::compression::CompressAnswers;
use crate::api::edge::middleware::cors::{AllowOrigins, Origins};
use crate::api::edge::middleware::in_time::{ANSWER_WITHIN, AnswerInTime};
use crate::api::edge::middleware::plain_bodies::DemandPlainBodies;
use crate::api::edge::middleware::request_id::NameRequests;
use crate::api::edge::middleware::request_log::LogRequests;
use crate::api::edge::middleware::tagged::TagReads;
use crate::api::edge::parameters::bearer::Identify;

/// What the routes are made of.
pub struct Parts {
    /// `/v1`
    pub mobile: mobile::Api,
    /// `/staff/v1`
    pub staff: staff::Api,
    /// `/integration/v1`
    pub integration: integration::Api,
    /// `/ops/v1`
    pub ops: ops::Api,
    /// `/callbacks/…`: what carriers and platforms call; it sees its paths without that prefix.
    pub callbacks: Route,
    /// `/readyz`: whether this process can do its work.
    pub ready: BoxEndpoint<'static>,
    /// What stands around all of them.
    pub edge: Edge,
}

/// What the edge needs.
pub struct Edge {
    /// Who asks.
    pub identify: Identify,
    /// From which web pages.
    pub origins: Origins,
    /// How often.
    pub limit_rate: LimitRate,
}

/// Everything that the server answers to.
///
/// # Errors
/// When a document breaks a rule: such a server must not start.
pub fn routes(parts: Parts) -> Result<impl Endpoint<Output = Response> + 'static, DocumentsError> {
    let route = pages(&parts.edge)?
        .nest_no_strip("/v1", service(parts.mobile, &mobile::ABOUT))
        .nest_no_strip("/staff/v1", service(parts.staff, &staff::ABOUT))
        .nest_no_strip("/integration/v1", service(parts.integration, &integration::ABOUT))
        .nest_no_strip("/ops/v1", service(parts.ops, &ops::ABOUT))
        .nest("/callbacks", parts.callbacks)
        .at("/readyz", get(parts.ready));
    Ok(surround(route, parts.edge, allowed()))
}

/// The pages that need no database: documents and their reference, problems, public keys, and that we are alive.
///
/// # Errors
/// When a document breaks a rule.
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

/// `/healthz`: this process answers.
fn alive() -> Fixed {
    Fixed::new("application/json", r#"{"status":"ok"}"#)
}

fn service<A: OpenApi + 'static>(api: A, about: &About) -> impl IntoEndpoint<Endpoint = BoxEndpoint<'static>> + use<A> {
    OpenApiService::new(api, about.title, env!("CARGO_PKG_VERSION"))
}

/// Which methods each address answers to.
#[must_use]
pub fn allowed() -> Allowed {
    let audiences =
        Allowed::default().with::<mobile::Api>().with::<staff::Api>().with::<integration::Api>().with::<ops::Api>();
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
    pages.into_iter().fold(callbacks, Allowed::with_page)
}

/// Puts the edge around routes. A request passes it from the bottom line to the top one; an answer goes back down.
pub fn surround(route: Route, edge: Edge, allowed: Allowed) -> impl Endpoint<Output = Response> + 'static {
    let allowed = Arc::new(allowed);
    route
        // A body is counted where it is read, so that its refusal is a problem like any other.
        .with(LimitBodies)
        .with(DemandPlainBodies)
        .with(LimitHeads)
        // A wait that is ended is a failure like any other.
        .with(AnswerInTime { limit: ANSWER_WITHIN })
        // Beneath here things fail; above it there are only answers.
        .with(CatchAll { allowed: Arc::clone(&allowed) })
        // Each line holds the future of the one above it, and would move it over and over: here it is put aside.
        .boxed()
        // Refusals count as well, and bear the same headers as what goes through.
        .with(edge.limit_rate)
        // The rate is counted by who asks, so that must be known first.
        .with(edge.identify)
        // After everything that makes an answer; before compression, which changes the tag.
        .boxed()
        .with(TagReads)
        .with(AnswerNotModified)
        .with(CompressAnswers)
        .boxed()
        // A preflight bears no token and is not to be counted; every answer needs these headers to be readable.
        .with(AllowOrigins(edge.origins))
        // What it logs is what leaves.
        .with(LogRequests { addresses: allowed })
        // Outermost: every answer and every log line bears the request's id.
        .with(NameRequests)
}
