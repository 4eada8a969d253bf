//! What a guide owes its readers is told, or is said to be unconfirmed: never left out in silence, and never made up.

use super::fault::Faults;
use crate::domain::item::Fact;

/// Notes what is owed and neither told nor unconfirmed, and what is called unconfirmed for nothing. `field` places a key.
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
                faults.add(
                    &field(key),
                    &format!("say it; or, if it is not known, add `{}` to `unconfirmed`", word(fact)),
                );
            }
            (_, true, true) => faults.add(&field("unconfirmed"), &format!("{key} is said: remove `{}`", word(fact))),
            (false, false, true) => {
                faults.add(&field("unconfirmed"), &format!("nothing here owes it: remove `{}`", word(fact)));
            }
            _ => {}
        }
    }
}

/// Every fact, and the key that tells it.
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

/// The name of a fact in `unconfirmed`.
fn word(fact: Fact) -> String {
    serde_json::to_value(fact).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
