//! What operations take: the caller, the body, pages, ids and headers.

pub mod bearer;
pub mod body;
pub mod idempotency;
pub mod paging;
pub mod phone;
pub mod shape;
pub mod wire_ids;
