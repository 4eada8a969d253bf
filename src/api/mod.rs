//! (being written)

pub mod bilingual;
pub mod edge;
pub mod mobile;
pub mod preencoded;
