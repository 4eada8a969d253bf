//! Gateways to the outside world: push channels, carriers, the identity check, sign-in platforms. An adapter speaks one
//! protocol and reports facts. It never sees a transaction and decides nothing; `worker::pool::verdict` decides.

pub mod courier;
pub mod identity;
pub mod login;
pub mod push;
pub mod shared;
