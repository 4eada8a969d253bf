//! The sandbox plays the outside world for development, tests, the demonstration and integrators. Each gateway has a twin
//! that speaks its real protocol: it verifies signatures, stores what a phone or a carrier would have received, calls back,
//! and fails on demand.
//!
//! A twin is in its gateway's folder and in `registry.rs`. A Songda that uses the sandbox differs only in addresses and keys
//! ([`SandboxSettings::client_settings`]). All data is in memory.

pub mod acs3;
pub mod call;
pub mod callbacks;
#[cfg(test)]
pub(crate) mod client;
mod client_settings;
pub mod control;
pub mod counters;
pub mod disturbed;
pub mod faults;
pub mod json;
pub mod label;
pub mod page;
pub mod parcels;
pub mod phones;
pub mod seen;
pub mod server;
pub mod settings;
pub mod shards;
mod state;
#[cfg(test)]
mod tests;
mod twin;
pub mod world;
pub mod world_settings;
pub mod written_time;

pub use client_settings::client_settings;
pub use parcels::Moved;
pub use server::{Running, serve};
pub use settings::SandboxSettings;
pub use state::Sandbox;
pub use twin::{Twin, TwinMaker};
pub use world::World;
pub use world_settings::{Movement, WorldSettings};
