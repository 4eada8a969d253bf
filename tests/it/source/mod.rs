//! Tests that read the repository itself.

pub mod docs;
mod layers;
mod readme;
mod typescript;
