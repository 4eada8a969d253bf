//! Gateways to the outside world: push channels, carriers, the identity check, sign-in platforms. An adapter speaks one
//! gateway's protocol and reports facts. It decides nothing and never sees a transaction; `worker::attempts::verdict`
//! decides.

pub mod courier;
pub mod identity;
pub mod login;
pub mod push;
pub mod shared;
