//! Calls that gateways make to us: kept as they came, read later by the adapter that knows their form.

use crate::domain::kernel::private::Private;

/// A call that a gateway made to us, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The `Content-Type`, lower-case, or empty.
    pub content_type: String,
    /// The query string, without `?`.
    pub query: String,
    /// The body. It may hold names and phones.
    pub body: Private<Vec<u8>>,
}

/// Why a call cannot be what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// Its signature or encryption is not the gateway's.
    #[error("not authentic")]
    NotAuthentic,
    /// It cannot be read.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// An answer in the gateway's own form. A wrong one makes it call again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    pub body: String,
}
