//! What every gateway client uses: the HTTP client, signatures, callbacks and probes.

pub mod acs3;
pub mod aliyun;
pub mod callback;
pub mod http;
#[cfg(test)]
pub(super) mod loopback;
pub mod probe;
pub(super) mod underway;
