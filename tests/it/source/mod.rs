//! Tests that read the repository itself.

mod circles;
pub mod docs;
mod layers;
mod readme;
mod typescript;
