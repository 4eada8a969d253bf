//! What surrounds every operation, one layer each.

pub mod allowed;
pub mod catch_all;
pub mod compression;
pub mod cors;
pub mod in_time;
pub mod plain_bodies;
pub mod request_id;
pub mod request_log;
pub mod silent_connections;
pub mod tagged;
