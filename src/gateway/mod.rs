//! What stands outside: phones' gateways, carriers, the identity check. An adapter speaks one protocol and
//! reports facts; it never sees a transaction and decides nothing. `worker::verdict` decides.

pub mod courier;
pub mod identity;
pub mod login;
pub mod push;
pub mod shared;
