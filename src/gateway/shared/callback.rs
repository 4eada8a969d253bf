//! Calls from gateways to Songda. The API stores them unchanged; a worker later has the gateway's adapter read them.

use crate::domain::kernel::private::Private;

/// A gateway's call, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The `Content-Type`, lower-case, or empty.
    pub content_type: String,
    /// The query string, without `?`.
    pub query: String,
    /// May contain names and phones.
    pub body: Private<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// The signature or the encryption is wrong: the call is not from the gateway.
    #[error("not authentic")]
    NotAuthentic,
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// The answer to a gateway's call, in the form that the gateway expects. After any other answer the gateway calls again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}
