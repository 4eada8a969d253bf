//! Messages and parcels on their way: gateways, consents, refusals, and outcomes that nobody knows.

pub mod consents;
mod doubts;
mod gateways;
mod parcels;
mod removed_gateways;
