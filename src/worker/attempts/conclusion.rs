//! The conclusion of an attempt: the result to store in the database, and whether the gateway answered,
//! which the circuit breaker needs to know.

use crate::casework::jobs::{Effect, Settlement};
use crate::store::jobs::Ending;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// The gateway was not called.
    None,
    /// The gateway answered, with success or an error.
    Answered,
    /// The gateway gave no answer, or an unreadable one.
    Silent,
}

#[derive(Debug, Clone)]
#[must_use = "a job whose attempt is not settled is tried again"]
pub struct Conclusion {
    pub settlement: Settlement,
    pub contact: Contact,
}

impl Conclusion {
    /// The conclusion of an attempt that changes only its job, and no notification, parcel or callback.
    pub const fn plain(ending: Ending, contact: Contact) -> Self {
        Self::with(ending, Effect::None, contact)
    }

    pub const fn with(ending: Ending, effect: Effect, contact: Contact) -> Self {
        Self { settlement: Settlement { ending, effect }, contact }
    }
}
