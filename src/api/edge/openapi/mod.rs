//! Builds the OpenAPI documents from the types of the operations.
//!
//! poem-openapi generates a first document. [`finish`] corrects it and adds what all operations share, [`problems`]
//! derives the problem responses of an operation from its parameters, [`examples`] adds examples, and [`lint`] checks
//! the rules.

mod closed;
pub mod document;
mod examples;
mod finish;
mod headers;
mod lint;
mod operations;
mod problems;
