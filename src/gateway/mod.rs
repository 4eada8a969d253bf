//! Gateways to the outside world: push channels, carriers, the identity check, sign-in platforms, the malware scanner. An adapter is the
//! client of one gateway: it speaks the gateway's protocol and reports the outcome of each call as a *fact*. It does
//! not decide what follows from the fact and never sees a database transaction; `worker::attempts::verdict` decides.

pub mod courier;
pub mod identity;
pub mod login;
pub mod malware;
pub mod push;
pub mod shared;
