//! Work that no caller asks for: publishing the catalogue, and deleting what has expired.

pub mod forget_old;
pub mod forget_uploads;
pub mod publish_catalogue;
