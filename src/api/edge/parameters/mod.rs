//! Parameters of operations: the caller, the body, pages, ids, words and headers.

pub mod body;
pub mod conditions;
mod header;
pub mod idempotency;
pub mod paging;
pub mod phone;
pub(in crate::api) mod plain_type;
pub mod principal;
pub mod ranges;
pub mod security;
pub mod shape;
pub mod wire_ids;
pub mod wire_words;
