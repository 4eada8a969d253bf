//! The sandbox: every gateway's real protocol, spoken by a twin. A twin verifies signatures and encryption with code of its
//! own, stores what a phone or a carrier would have received, moves parcels along, calls back, and fails on demand.
//!
//! Development, tests, the demonstration and integrators use it in place of the outside world. The product differs only in
//! addresses and keys, which [`SandboxSettings::client_settings`] lists. A twin lives in its gateway's folder, and
//! `registry.rs` names it together with the gateway. All data is in memory.

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
