//! From the handlers' types to a finished OpenAPI document.
//!
//! poem-openapi writes what it knows. [`finish`] corrects its form and adds what all operations share, [`problems`]
//! derives the problem answers of an operation from its shape, [`examples`] shows every body, and [`lint`] refuses a
//! document that breaks a rule. So a handler states nothing twice, and no document can forget a 401.

mod closed;
pub mod document;
mod examples;
mod finish;
mod headers;
mod lint;
mod operations;
mod problems;
