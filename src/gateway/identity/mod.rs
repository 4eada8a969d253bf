//! The real-name check: does this name belong to this resident ID number?

pub mod aliyun;

use async_trait::async_trait;

use crate::domain::kernel::private::Private;
use crate::gateway::shared::probe::Probe;

/// What the check found. A fact, not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityFact {
    /// Name and number belong together.
    Match,
    /// They do not.
    Mismatch,
    /// The register has no such number.
    Unknown,
    /// No answer that could be used; nothing is known. The detail is for our own record.
    Unavailable(String),
    /// Nothing will change until somebody mends our account.
    Misconfigured(String),
}

/// A real-name gateway.
#[async_trait]
pub trait IdentityGateway: Send + Sync {
    /// Asks. Reading twice is harmless, so an unclear answer is simply `Unavailable`.
    async fn verify(&self, name: &Private<String>, resident_id: &Private<String>) -> IdentityFact;

    /// Asks whether the gateway answers and takes our account for good, about nobody.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }
}
