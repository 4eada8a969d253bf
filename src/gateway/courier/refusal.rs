//! What a carrier's "no" means. The same words mean different facts for an order, a cancellation and a question:
//! each carrier sorts its codes into the kinds below, and this file alone turns a kind into a [`CarrierFact`].

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;

use super::{CarrierFact, CarrierFault};
use crate::gateway::shared::http::{Answer, HttpFault};

/// What was asked of the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// A new order.
    Order,
    Cancel,
    /// A look-up of an order by our number.
    Find,
    /// Anything else that changes nothing: a track, a label.
    Read,
}

/// A carrier's "no", before it is known what it means for the operation at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request never left.
    NotSent,
    /// Something in front of the carrier answered in its place: the request did not get through.
    TurnedAway,
    /// The request was too old when it was read.
    TooOld,
    /// No answer, no sensible one, or one that nobody has explained.
    Unclear,
    Throttled {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// Our account, contract or request is wrong.
    Misconfigured,
    /// There is such an order already.
    Duplicate,
    /// The recipient's data will not do.
    AddressRefused,
    /// The order is too far along.
    WrongState,
    /// The order is cancelled already.
    Cancelled,
    /// There is no such order.
    Absent,
}

impl Kind {
    /// Whether the kind is a sensible reply to the operation. One that is not explains nothing.
    pub(super) const fn suits(self, operation: Operation) -> bool {
        match self {
            Self::Duplicate => matches!(operation, Operation::Order),
            Self::AddressRefused => matches!(operation, Operation::Order | Operation::Find),
            Self::WrongState => matches!(operation, Operation::Cancel),
            Self::Absent => !matches!(operation, Operation::Order),
            Self::NotSent
            | Self::TurnedAway
            | Self::TooOld
            | Self::Unclear
            | Self::Throttled { .. }
            | Self::Misconfigured
            | Self::Cancelled => true,
        }
    }
}

/// A "no" with its code, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// Codes and fixed words only: a carrier may repeat a name or a phone in its messages.
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn unclear(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unclear, detail)
    }

    /// What it means for an operation.
    pub(super) fn fault(self, operation: Operation) -> CarrierFault {
        let unclear = match operation {
            Operation::Order | Operation::Cancel => CarrierFact::Ambiguous,
            Operation::Find | Operation::Read => CarrierFact::Unavailable,
        };
        let fact = match self.kind {
            kind if !kind.suits(operation) => unclear,
            Kind::Unclear => unclear,
            Kind::NotSent | Kind::TurnedAway => CarrierFact::Unavailable,
            Kind::Throttled { after } => CarrierFact::Throttled { after },
            // Our clock is wrong.
            Kind::Misconfigured | Kind::TooOld => CarrierFact::Misconfigured,
            Kind::Duplicate => CarrierFact::Duplicate,
            Kind::AddressRefused => CarrierFact::AddressRefused,
            Kind::WrongState => CarrierFact::WrongState,
            Kind::Absent => CarrierFact::Absent,
            Kind::Cancelled => match operation {
                // The number is used up: the look-up will say so, and the next order takes the next number.
                Operation::Order => CarrierFact::Duplicate,
                Operation::Cancel => CarrierFact::WrongState,
                Operation::Find | Operation::Read => CarrierFact::Absent,
            },
        };
        CarrierFault::new(fact, self.detail)
    }
}

impl From<HttpFault> for Refusal {
    fn from(fault: HttpFault) -> Self {
        let kind = match fault {
            HttpFault::NotSent(_) => Kind::NotSent,
            HttpFault::Unclear(_) => Kind::Unclear,
        };
        Self::new(kind, fault.to_string())
    }
}

/// The body of an answer with HTTP 200. (Both carriers say 200 to everything that reached them; any other status
/// comes from something in front of them.)
pub(super) fn body(answer: Answer) -> Result<Bytes, Refusal> {
    let kind = match answer.status {
        StatusCode::OK => return Ok(answer.body),
        StatusCode::TOO_MANY_REQUESTS => Kind::Throttled { after: answer.retry_after },
        StatusCode::REQUEST_TIMEOUT => Kind::Unclear,
        status if status.is_server_error() || status.is_success() => Kind::Unclear,
        // A proxy's page, a login page, a wall: people must look, but what waits can still be done when they did.
        status => {
            tracing::warn!(%status, "something in front of a carrier turned a call away");
            Kind::TurnedAway
        }
    };
    Err(Refusal::new(kind, format!("HTTP {}", answer.status.as_u16())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: Kind, operation: Operation) -> CarrierFact {
        Refusal::new(kind, "").fault(operation).fact
    }

    #[test]
    fn what_is_unclear_may_have_happened_only_where_something_could_happen() {
        assert_eq!(fact(Kind::Unclear, Operation::Order), CarrierFact::Ambiguous);
        assert_eq!(fact(Kind::Unclear, Operation::Cancel), CarrierFact::Ambiguous);
        assert_eq!(fact(Kind::Unclear, Operation::Read), CarrierFact::Unavailable);
        assert_eq!(fact(Kind::NotSent, Operation::Order), CarrierFact::Unavailable);
    }

    #[test]
    fn a_page_of_something_in_front_is_not_the_carriers_word() {
        let kind = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            body(Answer { status, content_type: String::new(), retry_after: None, body: Bytes::new() })
                .unwrap_err()
                .kind
        };
        for (status, expected) in [
            (302, Kind::TurnedAway),
            (403, Kind::TurnedAway),
            (404, Kind::TurnedAway),
            (408, Kind::Unclear),
            (429, Kind::Throttled { after: None }),
            (502, Kind::Unclear),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
        assert_eq!(fact(Kind::TurnedAway, Operation::Order), CarrierFact::Unavailable);
    }

    #[test]
    fn a_reply_that_makes_no_sense_explains_nothing() {
        assert_eq!(fact(Kind::Absent, Operation::Order), CarrierFact::Ambiguous);
        assert_eq!(fact(Kind::AddressRefused, Operation::Read), CarrierFact::Unavailable);
    }

    #[test]
    fn a_used_up_number_is_looked_up_before_anything() {
        assert_eq!(fact(Kind::Cancelled, Operation::Order), CarrierFact::Duplicate);
    }
}
