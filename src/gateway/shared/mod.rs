//! Shared by gateway clients: the HTTP client, signatures, callbacks, probes, and the parts of a platform that several of its
//! gateways use.

pub mod acs3;
pub mod aliyun;
pub mod callback;
pub mod http;
#[cfg(test)]
pub(super) mod loopback;
pub mod probe;
pub(super) mod underway;
pub mod wechat;
