//! What operations take: the caller, the body, pages, ids and headers.

pub mod body;
pub mod conditions;
pub mod idempotency;
pub mod paging;
pub mod phone;
pub mod principal;
pub mod security;
pub mod shape;
pub mod wire_ids;
