//! The mobile API (`/v1`): what a resident's phone talks to.

pub mod items;
