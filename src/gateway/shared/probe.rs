//! A harmless question to a gateway: does it answer, and does it accept our account? A probe sends, orders, changes and costs
//! nothing. Each gateway's folder defines its own question.

/// The result of a probe. Details are the gateway's codes and fixed words, never personal data or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It answers and accepts our account.
    Well,
    /// It answers and asks us to slow down.
    Throttled,
    /// It answers and refuses our account: nothing will change until an operator corrects it.
    Refused(String),
    /// It gives no answer, or no sensible one.
    Silent(String),
    /// The gateway has no harmless question.
    NotAsked,
}
