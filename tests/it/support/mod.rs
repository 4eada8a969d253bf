//! What tests stand on. No test of the product is in here.

pub mod acts;
pub mod database;
pub mod desk;
pub mod folder;
pub mod office;
pub mod people_desk;
pub mod proxy;
pub mod servers;
pub mod template;
