//! What every operation of every audience shares, each thing once.

pub mod allowed;
pub mod answers;
pub mod bearer;
pub mod body;
pub mod body_limit;
pub mod bucket;
pub mod catch_all;
pub mod code;
pub mod compression;
pub mod cors;
pub mod etag;
pub mod fixed;
pub mod idempotency;
pub mod openapi;
pub mod paging;
pub mod phone;
pub mod problem;
pub mod problem_of;
pub mod problem_pages;
pub mod rate_limit;
pub mod reference;
pub mod request_id;
pub mod request_log;
pub mod shape;
pub mod shared_buckets;
pub mod wire_ids;
