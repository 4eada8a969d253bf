//! The result of a probe. A probe is a harmless call by which `songda doctor` learns whether a gateway answers and
//! accepts our account. A probe sends no message, orders no parcel, changes nothing and costs nothing.

/// The texts contain the gateway's codes and fixed words, never personal data or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The gateway accepts our account.
    Well,
    /// The gateway limits our call rate.
    Throttled,
    /// The gateway refuses our account. An operator must correct the account or its settings.
    Refused(String),
    /// No answer came, or the answer is unreadable.
    Silent(String),
    /// No harmless call is known for this gateway.
    NotAsked,
}
