//! (being written)
pub mod publish_catalogue;
