//! HTTP in: one folder per audience, the [`edge`] that they share, and the table of [`audiences`].
//!
//! # How to write an operation
//!
//! 1. Its file is `<audience>/<noun>.rs`: a struct with what the operations need (use cases,
//!    [`edge::parameters::paging::Cursors`]), and `#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Cases")] impl` on it.
//!    All methods of one path belong to one `impl`.
//! 2. `/// 查看办件 · Show a case` (its summary, in both languages), then a blank line and a description if one is
//!    needed, and `#[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]`.
//! 3. The first argument is the caller that it serves: `person: Person`, `Officer`, `Operator` or `Client`; or `Anyone`,
//!    if it needs no token; or `SignInAttempt`, if callers sign in or prove an identity by it
//!    ([`edge::parameters::security`]).
//! 4. A body is `body: Body<NewCase>`, checked against its documented schema. Types derive `Object` with
//!    `#[oai(deny_unknown_fields, example)]`. Ids are typed: `id: Path<CaseId>`. The arguments `if_match: IfMatch`,
//!    `if_match: CreateOrMatch` and `idempotency_key: IdempotencyKey` have these names. Other headers are
//!    `#[oai(name = "Last-Event-ID")] last: Header<Option<String>>`.
//! 5. It returns `Result<T, Problem>`. `T` is [`edge::answers::resource::Shown`] (200 with ETag; 304 follows by itself),
//!    [`edge::answers::resource::Created`] (201), `Json<…>` (200), [`edge::answers::done::Done`] (204), or derives
//!    `ApiResponse`.
//! 6. `impl From<DecideError> for Problem` is in the same file, so that `?` is enough. A new kind of problem is a line
//!    in [`edge::answers::code`]. The documented problems follow from all of the above; the return type names the others
//!    ([`edge::answers::problem_of`]).
//! 7. With an `Idempotency-Key`: pass `idempotency_key.once(person.id, "submit_case", body.raw())` to the use case, and
//!    a function that turns its outcome into an `Answer` (`Created { … }.into()`). Return `Answered<Created<CaseView>>`,
//!    made from the `Given` that comes back.
//! 8. Add the struct to the audience's `Api` tuple, run `cargo run -- openapi`, and commit the changed document.
//!
//! # How to add an audience
//!
//! A folder with its operations, and an entry in [`audiences`].

pub mod audiences;
pub mod callbacks;
pub mod documents;
pub mod edge;
pub mod integration;
pub mod mobile;
pub mod ops;
pub mod pages;
pub mod public_keys;
pub mod routes;
pub mod services;
pub mod shared;
pub mod staff;
pub mod watch;
