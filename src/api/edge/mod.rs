//! What every operation of every audience shares, each thing once.

pub mod bearer;
pub mod body;
pub mod code;
pub mod compression;
pub mod etag;
pub mod idempotency;
pub mod paging;
pub mod problem;
pub mod request_id;
pub mod shape;
pub mod wire_ids;
