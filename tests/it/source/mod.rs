//! Tests that read the repository: its sources, documents, generated files and language.

mod circles;
mod docs;
mod language;
mod layers;
mod openapi;
mod readme;
mod sizes;
mod sql;
mod typescript;
