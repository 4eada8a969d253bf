//! The result of a probe. A probe is a harmless call by which `songda doctor` learns whether a gateway answers and accepts
//! our account. It sends, orders, changes and costs nothing.

/// The details are the gateway's codes and fixed words, never personal data or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The gateway accepts our account.
    Well,
    /// The gateway asks us to slow down.
    Throttled,
    /// The gateway refuses our account: nothing will change until an operator corrects it.
    Refused(String),
    /// No answer came, or no sensible one.
    Silent(String),
    /// No harmless call is known for this gateway.
    NotAsked,
}
