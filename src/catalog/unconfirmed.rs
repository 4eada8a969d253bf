//! The guide of an item or agency must state certain facts. A fact that is not known yet is listed under `unconfirmed`,
//! so that it is neither forgotten nor made up.

use super::fault::Faults;
use crate::domain::item::Fact;

/// Adds a fault for every fact that the guide must state (`owes`), but that is neither stated (`tells`) nor listed as
/// unconfirmed. Also adds a fault for every listed fact that is stated or need not be stated. `field` returns the full
/// path of a key.
pub(super) fn check(
    unconfirmed: &[Fact],
    owes: impl Fn(Fact) -> bool,
    tells: impl Fn(Fact) -> bool,
    field: impl Fn(&str) -> String,
    faults: &mut Faults,
) {
    for (fact, key) in FACTS {
        match (owes(fact), tells(fact), unconfirmed.contains(&fact)) {
            (true, false, false) => {
                let advice = format!("is missing; add it, or if it is not known add `{}` to `unconfirmed`", word(fact));
                faults.add(&field(key), &advice);
            }
            (_, true, true) => faults.add(&field("unconfirmed"), &format!("{key} is stated: remove `{}`", word(fact))),
            (false, false, true) => {
                let advice = format!("the guide need not state this fact: remove `{}`", word(fact));
                faults.add(&field("unconfirmed"), &advice);
            }
            _ => {}
        }
    }
}

/// Every fact, and the key of the catalogue's files that states it.
const FACTS: [(Fact, &str); 8] = [
    (Fact::LegalBasis, "legal_basis"),
    (Fact::Conditions, "conditions"),
    (Fact::ResultSample, "result_sample"),
    (Fact::FeeStatute, "fee.statute"),
    (Fact::OnlinePayment, "fee.online_payment"),
    (Fact::ConsultPhone, "consult_phone"),
    (Fact::ComplaintPhone, "complaint_phone"),
    (Fact::Halls, "halls"),
];

/// The word for a fact in the list `unconfirmed`.
fn word(fact: Fact) -> String {
    serde_json::to_value(fact).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
