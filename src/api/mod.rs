//! The HTTP API: one folder per audience (group of callers), and the [`edge`] that all audiences share. [`audiences`]
//! is the table of audiences.
//!
//! # How to write an operation
//!
//! 1. Write it in `<audience>/<noun>.rs`: a struct with the services that the operations use, and
//!    `#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Cases")] impl` on it. All methods of one path belong to one
//!    `impl`.
//! 2. Above the operation, write its summary in both languages (`/// 查看办件 · Show a case`), then a blank line and a
//!    description if one is needed, then `#[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]`.
//! 3. The first argument is the caller: `person: Person`, `Officer`, `Operator` or `Client`; or `Anyone`, if no token
//!    is needed; or `SignInAttempt`, if callers sign in or prove an identity ([`edge::parameters::security`]).
//! 4. A body is `body: Body<NewCase>`, validated against the schema of its type. Types derive `Object` with
//!    `#[oai(deny_unknown_fields, example)]`, and have an `example!`. Ids are typed: `id: Path<CaseId>`. The arguments
//!    `if_match: IfMatch`, `if_match: CreateOrMatch` and `idempotency_key: IdempotencyKey` must have these names. Other
//!    headers are `#[oai(name = "Last-Event-ID")] last: Header<Option<String>>`.
//! 5. The operation returns `Result<T, Problem>`. `T` is [`edge::Shown`] (200 with ETag, or 304), [`edge::Created`]
//!    (201), `Json<…>` (200), [`edge::Done`] (204), or derives `ApiResponse`.
//! 6. `impl From<DecideError> for Problem` is in the same file, so that `?` converts the error. A new kind of problem
//!    is a line in [`edge::answers::code`]. The OpenAPI document lists the problems of an operation: most follow from
//!    its arguments, and the return type adds others ([`edge::ProblemOf`]).
//! 7. If the operation takes an `Idempotency-Key`, pass two arguments to the use case. The first identifies the
//!    request: `idempotency_key.once(person.id, "submit_case", body.raw())`. The second is a function that turns the
//!    outcome of the use case into an `Answer` (`Created { … }.into()`). Return `Answered<Created<CaseBody>>`, built
//!    from the `Given` that the use case returns.
//! 8. Add the struct to the audience's `Api` tuple, run `cargo run -- openapi`, and commit the changed OpenAPI
//!    document.

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
