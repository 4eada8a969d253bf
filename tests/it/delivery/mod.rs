//! Sending messages and parcels: the gateways' protocols, consents, refusals, and calls of unknown outcome.

mod callbacks;
mod consents;
mod doubts;
mod gateways;
mod login_codes;
mod parcels;
mod pushes;
mod removed_gateways;
