//! Fills every form of the catalogue with arbitrary answers. Our check and an independent JSON Schema validator must
//! agree on each filled form, as far as a schema can express our rules. The validator knows only the schema that we
//! serve.

use std::path::Path;

use chrono::NaiveDate;
use serde_json::Value;
use songda::catalog::{self, Contents, FieldRules, Revision, Snapshot};
use songda::domain::form::{Form, MOST_FAULTS};
use songda::domain::item::ItemVersion;

use super::mangle;

/// Faults that a schema cannot express: a wrong check digit, an unknown region, a day that does not exist, or a day in
/// the future or in the past.
const BEYOND: [&str; 7] = ["resident_id", "credit_code", "phone", "region", "wrong_format", "future", "past"];

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn shipped() -> Snapshot {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let Contents { items, parts } = catalog::read(&folder, &FieldRules::new()).unwrap();
    let items = items.into_iter().map(|item| ItemVersion { item, version: 1 }).collect();
    let revision = Revision { number: 1, published_at: "2026-11-23T00:00:00Z".parse().unwrap() };
    Snapshot::new(revision, items, Vec::new(), parts)
}

/// True if the parent of a fault's pointer exists. The pointer itself can lead to a missing member, if that is the
/// fault, but never to a place within a missing member.
fn has_parent(answer: &Value, pointer: &str) -> bool {
    pointer.rsplit_once('/').is_none_or(|(parent, _)| answer.pointer(parent).is_some())
}

#[test]
fn the_check_and_the_served_schema_agree_on_any_answer() {
    let catalog = shipped();
    let forms: Vec<&Form> = catalog.items().iter().filter_map(|version| version.item.form.as_ref()).collect();
    assert_eq!(forms.len(), 80);
    for form in forms {
        let schema = jsonschema::draft202012::new(&form.json_schema()).unwrap();
        let answers = mangle::json(vec![form.example(today())]);
        for answer in mangle::some(&answers, mangle::cases() / 4) {
            let valid = schema.is_valid(&answer);
            match catalog.check_form(form, &answer, today()) {
                Ok(()) => assert!(valid, "only the schema refuses {answer}"),
                Err(faults) => {
                    assert!(faults.len() <= MOST_FAULTS);
                    for fault in &faults {
                        assert!(has_parent(&answer, &fault.pointer), "{} in {answer}", fault.pointer);
                    }
                    let beyond = faults.iter().all(|fault| BEYOND.contains(&fault.code));
                    assert!(beyond || !valid, "only the check refuses {answer}: {faults:?}");
                }
            }
        }
    }
}
