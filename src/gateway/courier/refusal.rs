//! The meaning of a carrier's refusal, in two steps. Each carrier's folder maps its codes to a [`RefusalKind`]. This
//! file turns the kind into a [`CarrierFact`]. The fact depends on the operation too: the same kind of refusal means
//! one thing for an order and another thing for a query.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;

use super::{CarrierFact, CarrierFault};
use crate::gateway::shared::http::{HttpAnswer, HttpFault};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Order,
    Cancel,
    /// A look-up of an order by our order number.
    Find,
    /// Any other query, for scans or a label.
    Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// No connection was made.
    NotSent,
    /// A proxy in front of the carrier refused the request: the carrier did not get it.
    TurnedAway,
    /// The request was too old on arrival.
    TooOld,
    /// No answer came, or the answer is unreadable or undocumented.
    Unclear,
    Throttled {
        after: Option<Duration>,
    },
    /// Our account, contract or request is wrong.
    Misconfigured,
    Duplicate,
    /// The carrier does not accept the recipient's data.
    AddressRefused,
    /// The change comes too late: the parcel is picked up, or the order is confirmed.
    WrongState,
    Cancelled,
    Absent,
}

impl RefusalKind {
    /// True if the operation can be refused in this way. If it cannot, the refusal counts as unclear.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CarrierRefusal {
    pub(super) kind: RefusalKind,
    /// The carrier's code and fixed words only, because its messages may repeat a name or a phone.
    pub(super) detail: String,
}

impl CarrierRefusal {
    pub(super) fn new(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn unclear(detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Unclear, detail)
    }

    /// Turns this refusal into the fault that it means for the operation.
    pub(super) fn fault(self, operation: Operation) -> CarrierFault {
        let unclear = match operation {
            Operation::Order | Operation::Cancel => CarrierFact::Ambiguous,
            Operation::Find | Operation::Read => CarrierFact::Unavailable,
        };
        let fact = match self.kind {
            kind if !kind.suits(operation) => unclear,
            RefusalKind::Unclear => unclear,
            RefusalKind::NotSent | RefusalKind::TurnedAway => CarrierFact::Unavailable,
            RefusalKind::Throttled { after } => CarrierFact::Throttled { after },
            // The client repeats a request that was too old, with a new timestamp. If the carrier refuses the repeated
            // request as too old, too, our clock is wrong.
            RefusalKind::Misconfigured | RefusalKind::TooOld => CarrierFact::Misconfigured,
            RefusalKind::Duplicate => CarrierFact::Duplicate,
            RefusalKind::AddressRefused => CarrierFact::AddressRefused,
            RefusalKind::WrongState => CarrierFact::WrongState,
            RefusalKind::Absent => CarrierFact::Absent,
            RefusalKind::Cancelled => match operation {
                // The order number is used up. The worker then calls `recover`, which reports the cancellation, and
                // orders with the next number.
                Operation::Order => CarrierFact::Duplicate,
                Operation::Cancel => CarrierFact::WrongState,
                Operation::Find | Operation::Read => CarrierFact::Absent,
            },
        };
        CarrierFault::new(fact, self.detail)
    }
}

impl From<HttpFault> for CarrierRefusal {
    fn from(fault: HttpFault) -> Self {
        let kind = match fault {
            HttpFault::NotSent(_) => RefusalKind::NotSent,
            HttpFault::Unclear(_) => RefusalKind::Unclear,
        };
        Self::new(kind, fault.to_string())
    }
}

/// Returns the body of an answer with HTTP 200. Carriers answer 200 even if they refuse a request. A server error or a
/// time-out counts as unclear, because the carrier may have carried out the request. Any other status comes from a
/// proxy in front of the carrier.
pub(super) fn body(answer: HttpAnswer) -> Result<Bytes, CarrierRefusal> {
    let kind = match answer.status {
        StatusCode::OK => return Ok(answer.body),
        StatusCode::TOO_MANY_REQUESTS => RefusalKind::Throttled { after: answer.retry_after },
        StatusCode::REQUEST_TIMEOUT => RefusalKind::Unclear,
        status if status.is_server_error() || status.is_success() => RefusalKind::Unclear,
        // The answer comes from a proxy, a firewall or a login page. A later attempt may succeed. If none does, the
        // warning shows an operator why.
        status => {
            tracing::warn!(%status, "a proxy in front of a carrier refused a call");
            RefusalKind::TurnedAway
        }
    };
    Err(CarrierRefusal::new(kind, format!("HTTP {}", answer.status.as_u16())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: RefusalKind, operation: Operation) -> CarrierFact {
        CarrierRefusal::new(kind, "").fault(operation).fact
    }

    #[test]
    fn an_unclear_answer_is_ambiguous_only_for_operations_that_change_something() {
        assert_eq!(fact(RefusalKind::Unclear, Operation::Order), CarrierFact::Ambiguous);
        assert_eq!(fact(RefusalKind::Unclear, Operation::Cancel), CarrierFact::Ambiguous);
        assert_eq!(fact(RefusalKind::Unclear, Operation::Read), CarrierFact::Unavailable);
        assert_eq!(fact(RefusalKind::NotSent, Operation::Order), CarrierFact::Unavailable);
    }

    #[test]
    fn the_page_of_a_proxy_is_not_the_carriers_answer() {
        let kind = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            body(HttpAnswer { status, content_type: String::new(), retry_after: None, body: Bytes::new() })
                .unwrap_err()
                .kind
        };
        for (status, expected) in [
            (302, RefusalKind::TurnedAway),
            (403, RefusalKind::TurnedAway),
            (404, RefusalKind::TurnedAway),
            (408, RefusalKind::Unclear),
            (429, RefusalKind::Throttled { after: None }),
            (502, RefusalKind::Unclear),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
        assert_eq!(fact(RefusalKind::TurnedAway, Operation::Order), CarrierFact::Unavailable);
    }

    #[test]
    fn a_refusal_that_does_not_suit_the_operation_is_unclear() {
        assert_eq!(fact(RefusalKind::Absent, Operation::Order), CarrierFact::Ambiguous);
        assert_eq!(fact(RefusalKind::AddressRefused, Operation::Read), CarrierFact::Unavailable);
    }

    #[test]
    fn an_order_with_a_cancelled_number_is_a_duplicate() {
        assert_eq!(fact(RefusalKind::Cancelled, Operation::Order), CarrierFact::Duplicate);
    }
}
