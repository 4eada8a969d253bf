//! Calls from gateways to Songda: stored unchanged, and read later by the adapter that knows their form.

use crate::domain::kernel::private::Private;

/// A gateway's call, unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The `Content-Type`, lower-case, or empty.
    pub content_type: String,
    /// The query string, without `?`.
    pub query: String,
    /// May contain names and phones.
    pub body: Private<Vec<u8>>,
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// The signature or encryption is not the gateway's.
    #[error("not authentic")]
    NotAuthentic,
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// An answer in the gateway's own form. After any other answer the gateway calls again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}
