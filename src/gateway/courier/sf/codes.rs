//! What SF's codes mean: those of the platform (`apiResultCode`) and those of the services behind it (`errorCode`).
//! What is not here is unclear, which is never taken as "nothing happened".

use std::time::Duration;

use crate::gateway::courier::refusal::Kind;

/// The platform let the request through; the service's own answer is inside.
pub(super) const PASSED: &str = "A1000";

/// The service did as asked.
pub(super) const DONE: &str = "S0000";

/// Flow is limited per second and per day, and SF does not say which limit was hit.
const A_MOMENT: Duration = Duration::from_secs(2);

/// A code of the platform other than [`PASSED`].
pub(super) fn of_platform(code: &str) -> Kind {
    match code {
        // A public parameter is missing; our address, our right to the service, or our digest is refused; the token,
        // which we do not use.
        "A1001" | "A1003" | "A1004" | "A1006" | "A1011" => Kind::Misconfigured,
        "A1002" => Kind::TooOld,
        "A1005" => Kind::Throttled { after: Some(A_MOMENT) },
        // A request seen before (A1007), a service out of reach (A1009), a fault of the system (A1099).
        _ => Kind::Unclear,
    }
}

/// A code of a service other than [`DONE`].
pub(super) fn of_service(code: &str) -> Kind {
    match code {
        "8016" => Kind::Duplicate,
        // The recipient's address, name or phone is missing (1014 to 1016), or the phone looks wrong.
        "1014" | "1015" | "1016" | "8196" => Kind::AddressRefused,
        "6150" | "8018" => Kind::Absent,
        "8037" | "8253" => Kind::Cancelled,
        // Order and waybill do not match; confirmed or cancelled already; confirmed already.
        "8017" | "8019" | "8252" => Kind::WrongState,
        // The office's address, name or phone is missing (1010 to 1012); no cargo; the monthly account may not
        // ship (8114, 8119, 20052); the request cannot be read.
        "1010" | "1011" | "1012" | "1023" | "8114" | "8119" | "20052" | "4002" => Kind::Misconfigured,
        // A field is missing or malformed.
        _ if code.len() == 4 && code.starts_with("61") => Kind::Misconfigured,
        // A fault of the system (4001), and all that nobody has explained.
        _ => Kind::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::courier::CarrierFact;
    use crate::gateway::courier::refusal::{Operation, Refusal};

    fn fact(kind: Kind, operation: Operation) -> CarrierFact {
        Refusal::new(kind, "").fault(operation).fact
    }

    #[test]
    fn what_may_have_happened_is_ambiguous_for_an_order_only() {
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
