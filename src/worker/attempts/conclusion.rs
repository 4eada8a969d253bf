//! The end of an attempt: what the record must store, and what the breaker must know.

use crate::casework::jobs::{Effect, Settlement};
use crate::store::jobs::Ending;

/// The response of the gateway, if there was one. The breaker counts by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// The gateway was not called.
    None,
    /// It answered, with success or an error.
    Answered,
    /// It gave no answer, or an unreadable one.
    Silent,
}

#[derive(Debug, Clone)]
pub struct Conclusion {
    pub settlement: Settlement,
    pub contact: Contact,
}

impl Conclusion {
    /// An ending without further effects.
    pub const fn plain(ending: Ending, contact: Contact) -> Self {
        Self::with(ending, Effect::None, contact)
    }

    pub const fn with(ending: Ending, effect: Effect, contact: Contact) -> Self {
        Self { settlement: Settlement { ending, effect }, contact }
    }
}
