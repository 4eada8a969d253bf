//! What the operations of all audiences share: limits, parameters, answers, documents, and the layers around them.

pub mod answers;
pub mod current;
pub mod limits;
pub mod middleware;
pub mod openapi;
pub mod parameters;
pub mod route_table;
pub mod surround;
