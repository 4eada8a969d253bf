//! A harmless question to a gateway: does it answer, and does it take our account for good? Nothing is sent to anybody,
//! ordered, changed or paid for. Each gateway knows in its own folder what may be asked in that way.

use crate::gateway::courier::{CarrierFact, CarrierFault};
use crate::gateway::push::{PushFact, PushReport};

/// What the question found out. Details are the gateway's codes and fixed words, never personal data or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It answers, and takes our account for good.
    Well,
    /// It answers, and asks for patience.
    Throttled,
    /// It answers, and refuses our account: nothing will change until somebody mends it.
    Refused(String),
    /// It gives no answer, or none that makes sense.
    Silent(String),
    /// There is nothing harmless to ask it.
    NotAsked,
}

impl From<PushReport> for Probe {
    fn from(report: PushReport) -> Self {
        match report.fact {
            PushFact::Throttled { .. } => Self::Throttled,
            PushFact::Misconfigured => Self::Refused(report.detail),
            PushFact::Unavailable | PushFact::Ambiguous => Self::Silent(report.detail),
            PushFact::Delivered { .. } | PushFact::Gone | PushFact::Refused => Self::Well,
        }
    }
}

impl From<CarrierFault> for Probe {
    fn from(fault: CarrierFault) -> Self {
        match fault.fact {
            CarrierFact::Throttled { .. } => Self::Throttled,
            CarrierFact::Misconfigured => Self::Refused(fault.detail),
            CarrierFact::Unavailable | CarrierFact::Ambiguous => Self::Silent(fault.detail),
            // A "no" about the made-up subject of the question: whoever says it has taken our account for good.
            CarrierFact::Absent | CarrierFact::Duplicate | CarrierFact::AddressRefused | CarrierFact::WrongState => {
                Self::Well
            }
        }
    }
}
