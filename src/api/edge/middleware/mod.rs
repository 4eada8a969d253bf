//! The layers (middleware) around all operations, one file each.

pub mod catch_all;
pub mod compression;
pub mod cors;
pub mod identify;
pub mod in_time;
pub mod layer;
pub mod not_modified;
pub mod plain_bodies;
pub mod request_id;
pub mod request_log;
pub mod safe_headers;
pub mod tagged;
