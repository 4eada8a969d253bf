//! Code that several gateways share: the HTTP client, callbacks, probes, and the protocols of Alibaba Cloud and WeChat.

pub mod acs3;
pub mod aliyun;
pub mod callback;
pub mod http;
#[cfg(test)]
pub(super) mod loopback;
pub mod probe;
pub mod wechat;
