//! The meaning of SF's codes: the codes of the platform (`apiResultCode`), and those of the services behind the
//! platform (`errorCode`). An unknown code counts as unclear: SF may have carried out the request.

use std::time::Duration;

use crate::gateway::courier::refusal::RefusalKind;

/// The platform's code for a request that it passed on to a service. The answer then contains the service's own answer.
pub(super) const PASSED: &str = "A1000";

pub(super) const DONE: &str = "S0000";

/// The wait after a throttled call. `Throttling` lengthens it if the daily quota may be used up.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Returns the kind of refusal for a code of the platform other than [`PASSED`].
pub(super) fn of_platform(code: &str) -> RefusalKind {
    match code {
        // A public parameter is missing (A1001); our IP address (A1003), our permission for the service (A1004) or our
        // digest (A1006) is refused; the token, which we do not use, is wrong (A1011).
        "A1001" | "A1003" | "A1004" | "A1006" | "A1011" => RefusalKind::Misconfigured,
        "A1002" => RefusalKind::TooOld,
        "A1005" => RefusalKind::Throttled { after: Some(A_MOMENT) },
        // A repeated request (A1007), an unreachable service (A1009), a system error (A1099).
        _ => RefusalKind::Unclear,
    }
}

/// Returns the kind of refusal for a code of a service other than [`DONE`].
pub(super) fn of_service(code: &str) -> RefusalKind {
    match code {
        "8016" => RefusalKind::Duplicate,
        // The recipient's address, name or phone is missing (1014 to 1016), or the phone is invalid.
        "1014" | "1015" | "1016" | "8196" => RefusalKind::AddressRefused,
        "6150" | "8018" => RefusalKind::Absent,
        "8037" | "8253" => RefusalKind::Cancelled,
        // Order and waybill do not match (8017); confirmed or cancelled already (8019); confirmed already (8252).
        "8017" | "8019" | "8252" => RefusalKind::WrongState,
        // The office's address, name or phone is missing (1010 to 1012); no cargo (1023); the monthly account may not
        // ship (8114, 8119, 20052); the request is unreadable (4002).
        "1010" | "1011" | "1012" | "1023" | "8114" | "8119" | "20052" | "4002" => RefusalKind::Misconfigured,
        // A field is missing or malformed.
        _ if code.len() == 4 && code.starts_with("61") => RefusalKind::Misconfigured,
        // A system error (4001), and every undocumented code.
        _ => RefusalKind::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::courier::CarrierFact;
    use crate::gateway::courier::refusal::{CarrierRefusal, Operation};

    fn fact(kind: RefusalKind, operation: Operation) -> CarrierFact {
        CarrierRefusal::new(kind, "").fault(operation).fact
    }

    #[test]
    fn an_unclear_code_is_ambiguous_for_orders_only() {
        for kind in ["A1007", "A1009", "A1099", "A4711"].map(of_platform) {
            assert_eq!(fact(kind, Operation::Order), CarrierFact::Ambiguous);
            assert_eq!(fact(kind, Operation::Find), CarrierFact::Unavailable);
        }
        for kind in ["4001", "9999", "", "6150"].map(of_service) {
            assert_eq!(fact(kind, Operation::Order), CarrierFact::Ambiguous);
        }
    }

    #[test]
    fn every_documented_code_has_its_fact() {
        use CarrierFact::{Absent, AddressRefused, Duplicate, Misconfigured, WrongState};
        for (code, operation, expected) in [
            ("8016", Operation::Order, Duplicate),
            ("8037", Operation::Order, Duplicate),
            ("1014", Operation::Order, AddressRefused),
            ("8196", Operation::Order, AddressRefused),
            ("1010", Operation::Order, Misconfigured),
            ("6126", Operation::Order, Misconfigured),
            ("6135", Operation::Order, Misconfigured),
            ("20052", Operation::Order, Misconfigured),
            ("6150", Operation::Find, Absent),
            ("8018", Operation::Cancel, Absent),
            ("8252", Operation::Cancel, WrongState),
            ("8019", Operation::Cancel, WrongState),
            ("8017", Operation::Cancel, WrongState),
        ] {
            assert_eq!(fact(of_service(code), operation), expected, "{code}");
        }
        for code in ["A1001", "A1002", "A1003", "A1004", "A1006", "A1011"] {
            assert_eq!(fact(of_platform(code), Operation::Order), Misconfigured, "{code}");
        }
        assert_eq!(fact(of_platform("A1005"), Operation::Order), CarrierFact::Throttled { after: Some(A_MOMENT) });
    }
}
