//! **Songda (送达)** takes an approval from the phone to the doorbell: a resident applies for a published item (a service
//! of the authority) on the phone, an officer decides, and the result arrives as a push on the phone and a parcel at
//! the door.
//!
//! The groups of modules below, from `api` and `worker` down to `domain`, are in the order of the layers. A module uses
//! only modules of lower layers. `tests/it/source/layers.rs` checks that, and lists for each module the modules that it
//! is allowed to use. `docs/architecture.md` follows one case through five files.

pub mod app;
pub mod auth;
pub mod config;
pub mod files;
pub mod lifecycle;
pub mod registry;
pub mod telemetry;

pub mod api;
pub mod worker;

pub mod casework;

pub mod gateway;
pub mod queue;
pub mod store;

pub mod catalog;

pub mod domain;
pub mod env;
pub mod kill_point;
pub mod metrics;
pub mod single_flight;
pub mod trace;
pub mod wrong_clock;

#[cfg(feature = "development")]
pub mod demo;
#[cfg(feature = "development")]
pub mod sandbox;
