//! What must hold between the fields of an item, and between items: rules that the real lists of items are checked
//! by, as far as our data carry their fields.

use std::collections::{BTreeMap, BTreeSet};

use super::Parts;
use super::fault::Faults;
use super::files::Placed;
use super::templates::FieldRules;
use crate::domain::item::{CaseKind, DeliveryWay, Item, Mode};

/// Notes every rule that is broken.
pub(super) fn check(placed: &[Placed], parts: &Parts, fields: &FieldRules, faults: &mut Faults) {
    let agencies: BTreeSet<&str> = parts.agencies.iter().map(|agency| agency.code.as_str()).collect();
    let mut codes = BTreeMap::new();
    let mut names = BTreeMap::new();
    for Placed { file, item } in placed {
        faults.enter(file);
        faults.enter_item(item.code.as_str());
        for (field, code) in [("agency", &item.agency), ("guiding_agency", &item.guiding_agency)] {
            if !agencies.contains(code.as_str()) {
                faults.add(field, &format!("{code} is not in agencies.toml"));
            }
        }
        if let Some(other) = codes.insert(item.code.as_str(), file) {
            faults.add("code", &format!("is taken by an item of {other}"));
        }
        if let Some(other) = names.insert(item.name.zh.as_str(), &item.code) {
            faults.add("name", &format!("is that of {other}, too; no two items share a name"));
        }
        check_item(item, faults);
    }
    check_parts(parts, fields, faults);
}

fn check_parts(parts: &Parts, fields: &FieldRules, faults: &mut Faults) {
    faults.enter("regions.toml");
    parts.regions.check(faults);
    faults.enter("halls.toml");
    let mut codes = BTreeSet::new();
    for hall in &parts.halls {
        hall.check(&parts.regions, faults);
        if !codes.insert(&hall.code) {
            faults.add(&hall.code, "the code is taken by another hall");
        }
    }
    faults.enter("agencies.toml");
    let mut codes = BTreeSet::new();
    for agency in parts.agencies.iter().filter(|agency| !codes.insert(&agency.code)) {
        faults.add(agency.code.as_str(), "the code is taken by another agency");
    }
    faults.enter("templates.toml");
    parts.templates.check(fields, faults);
}

/// A rule: the field that it speaks of, what to do, and whether it is broken.
type Rule = (&'static str, &'static str, fn(&Item) -> bool);

/// The rules, each after the practice of the lists that the administration checks (GB/T 39554) or our own.
const RULES: &[Rule] = &[
    ("name", "needs words in both languages", |item| item.name.zh.trim().is_empty() || item.name.en.trim().is_empty()),
    ("promised", "0 days if and only if case_kind is `immediate`", |item| {
        (item.promised.days == 0) != (item.case_kind == CaseKind::Immediate)
    }),
    ("promised", "must not be longer than the legal period in the same unit", |item| {
        item.legal.is_some_and(|legal| legal.unit == item.promised.unit && legal.days < item.promised.days)
    }),
    ("visits", "an item that is handled wholly online needs no visit: must be 0", |item| {
        item.has(Mode::Online) && item.visits > 0
    }),
    ("visits", "no visit and not online: then nobody could apply", |item| item.visits == 0 && !item.has(Mode::Online)),
    ("visit_reason", "say why a visit remains although it can be handled from afar", |item| {
        item.visits > 0 && !item.modes.is_empty() && item.visit_reason.is_none()
    }),
    ("visit_reason", "no visit, no reason: remove it", |item| item.visits == 0 && item.visit_reason.is_some()),
    ("fee", "a fee of 0 is no fee: remove it", |item| item.fee.as_ref().is_some_and(|fee| fee.fen == 0)),
    ("fee.basis", "name the document that allows the fee", |item| {
        item.fee.as_ref().is_some_and(|fee| fee.basis.trim().is_empty())
    }),
    ("delivery", "an item on the phone reaches the phone: add `mobile_push`", |item| {
        item.has(Mode::Mobile) && !item.delivers(DeliveryWay::MobilePush)
    }),
    ("delivery", "name at least one way", |item| item.delivery.is_empty()),
    ("delivery", "a way is named twice", |item| has_twins(&item.delivery)),
    ("modes", "a mode is named twice", |item| has_twins(&item.modes)),
    ("materials", "a material is named twice", |item| {
        has_twins(&item.materials.iter().map(|material| &material.key).collect::<Vec<_>>())
    }),
    ("carriers", "name at least one carrier, in small letters", |item| {
        let code = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        item.carriers.is_empty() || !item.carriers.iter().all(|carrier| code(carrier.as_str()))
    }),
    ("form", "an item on the phone needs a form", |item| item.has(Mode::Mobile) && item.form.is_none()),
    ("form", "only an item on the phone has a form: add the mode `mobile` or remove it", |item| {
        !item.has(Mode::Mobile) && item.form.is_some()
    }),
    ("village_hall", "what a village takes in, its town takes in: set town_hall too", |item| {
        item.village_hall && !item.town_hall
    }),
];

fn check_item(item: &Item, faults: &mut Faults) {
    for (field, advice, _) in RULES.iter().filter(|(_, _, broken)| broken(item)) {
        faults.add(field, advice);
    }
}

fn has_twins<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(at, entry)| list[..at].contains(entry))
}
