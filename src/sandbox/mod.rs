//! The sandbox simulates all external gateways, for development, tests, the demonstration and integrators. Each gateway
//! has a *twin*: a simulated server that speaks the gateway's real protocol. A twin verifies signatures, stores the
//! messages and parcel orders that it accepts, sends callbacks, and fails on demand.
//!
//! The code of a twin is in its gateway's folder, and `registry.rs` lists the twin. A Songda that uses the sandbox
//! differs from one in production only in its settings ([`SandboxSettings::client_settings`]). The sandbox stores all
//! data in memory.

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
