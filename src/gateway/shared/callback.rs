//! HTTP callbacks from gateways to Songda. The API stores a callback unchanged. A worker later passes it to the
//! gateway's adapter, which interprets it.

use crate::domain::kernel::private::Private;

/// A callback as Songda received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The `Content-Type` in lower case; empty if missing.
    pub content_type: String,
    /// The query string, without `?`.
    pub query: String,
    /// May contain names and phones.
    pub body: Private<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// The signature or the encryption is wrong: the callback is not from the gateway.
    #[error("not authentic")]
    NotAuthentic,
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// Songda's HTTP response to a callback, in the gateway's format. It either confirms that the callback is stored, or
/// makes the gateway repeat the callback. A response in another format also makes the gateway repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}
