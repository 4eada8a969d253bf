//! What stands outside: phones' gateways, carriers, the identity check. An adapter speaks one protocol and
//! reports facts; it never sees a transaction and decides nothing. `worker::verdict` decides.

pub mod acs3;
pub mod aliyun;
pub mod callback;
pub mod courier;
pub mod http;
pub mod identity;
pub mod probe;
pub mod push;
mod underway;
pub mod wechat_login;

#[cfg(test)]
mod loopback;
