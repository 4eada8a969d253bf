//! Checks the rules for items: for the fields of one item, and for all items together (unique codes and names). Most of
//! them are rules by which the public administration checks its own lists of items. The administration's rules on
//! fields that our data do not contain are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Faults;
use super::items::Placed;
use super::shared::Shared;
use super::unconfirmed;
use crate::domain::item::due::{DayUnit, TimeLimit};
use crate::domain::item::{CaseKind, DeliveryWay, Fact, Item, ItemType, Level, Mode, ResultKind, Subject};

/// Adds a fault for every broken rule. References into a file that could not be read are not checked.
pub(super) fn check(placed: &[Placed], shared: &Shared, faults: &mut Faults) {
    let agencies = shared.agencies.as_ref();
    let agencies: Option<BTreeSet<&str>> = agencies.map(|list| list.iter().map(|it| it.code.as_str()).collect());
    let mut codes = BTreeMap::new();
    let mut names = BTreeMap::new();
    for Placed { file, item } in placed {
        faults.enter(file);
        faults.enter_item(item.code.as_str());
        for (field, code) in [("agency", &item.agency), ("guiding_agency", &item.guiding_agency)] {
            if agencies.as_ref().is_some_and(|known| !known.contains(code.as_str())) {
                faults.add(field, &format!("{code} is not in agencies.toml"));
            }
        }
        if let Some(other) = codes.insert(item.code.as_str(), file) {
            faults.add("code", &format!("is taken by an item of {other}"));
        }
        if let Some(other) = names.insert(item.name.zh.as_str(), &item.code) {
            faults.add("name", &format!("{other} has the same name; no two items share a name"));
        }
        for (field, advice, _) in RULES.iter().filter(|(_, _, broken)| broken(item)) {
            faults.add(field, advice);
        }
        check_procedure(item, shared, faults);
        check_topics(item, shared, faults);
        unconfirmed::check(&item.unconfirmed, |it| owes(item, it), |it| tells(item, it), str::to_owned, faults);
    }
}

/// A rule: the field that it concerns, the advice, and a function that returns true if an item breaks the rule.
type Rule = (&'static str, &'static str, fn(&Item) -> bool);

/// The rules for the fields of one item. Most are rules by which the administration checks its lists of items (GB/T
/// 39554); the others are our own.
const RULES: &[Rule] = &[
    ("name", "needs a text in both languages", |item| item.name.zh.trim().is_empty() || item.name.en.trim().is_empty()),
    ("promised", "must be 0 days if case_kind is `immediate`, and more than 0 days otherwise", |item| {
        (item.promised.days == 0) != (item.case_kind == CaseKind::Immediate)
    }),
    ("promised", "must not be longer than the legal period", |item| {
        item.legal.is_some_and(|legal| is_longer(item.promised, legal))
    }),
    ("result", "needs a text in both languages", |item| {
        item.result.zh.trim().is_empty() || item.result.en.trim().is_empty()
    }),
    (
        "result_kind",
        "must follow the result's name: `certificate` for …证, `document` for …文, `approval` for …批复",
        |item| kind_by_name(&item.result.zh).is_some_and(|kind| item.result_kind != Some(kind)),
    ),
    ("visits", "must be 0: an item that is handled wholly online needs no visit", |item| {
        item.has(Mode::Online) && item.visits > 0
    }),
    ("visits", "must be more than 0 if the item is neither online nor `by_post`: otherwise no one can apply", |item| {
        item.visits == 0 && !item.has(Mode::Online) && !item.by_post
    }),
    ("visit_reason", "say why the applicant must still visit", |item| {
        item.visits > 0 && item.visit_reason.as_ref().is_none_or(|reason| reason.zh.trim().is_empty())
    }),
    ("visit_reason", "the item needs no visit: remove the reason", |item| {
        item.visits == 0 && item.visit_reason.is_some()
    }),
    ("fee", "the fee is 0: remove it", |item| item.fee.as_ref().is_some_and(|fee| fee.fen == 0)),
    ("fee.basis", "name the document that allows the fee", |item| {
        item.fee.as_ref().is_some_and(|fee| fee.basis.trim().is_empty())
    }),
    ("fee.name", "say what the fee is for", |item| item.fee.as_ref().is_some_and(|fee| fee.name.zh.trim().is_empty())),
    ("fee.per", "name the unit that the amount is charged for", |item| {
        item.fee.as_ref().is_some_and(|fee| fee.per.is_none())
    }),
    ("delivery", "the item is handled on the phone: add `mobile_push`", |item| {
        item.has(Mode::Mobile) && !item.delivers(DeliveryWay::MobilePush)
    }),
    (
        "delivery",
        "printing needs a self-service terminal: add the mode `self_service` or remove `self_print`",
        |item| item.delivers(DeliveryWay::SelfPrint) && !item.has(Mode::SelfService),
    ),
    ("delivery", "name at least one way of delivery", |item| item.delivery.is_empty()),
    ("delivery", "a way of delivery is listed twice; remove one", |item| has_twins(&item.delivery)),
    ("modes", "a mode is listed twice; remove one", |item| has_twins(&item.modes)),
    ("materials", "is empty: the guide of a permit must list the materials (行政许可法 30)", |item| {
        item.kind == ItemType::Permit && item.materials.is_empty()
    }),
    ("materials", "a material is listed twice; remove one", |item| {
        has_twins(&item.materials.iter().map(|material| &material.key).collect::<Vec<_>>())
    }),
    ("carriers", "name at least one carrier, in lower-case letters and digits", |item| {
        let code = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        item.carriers.is_empty() || !item.carriers.iter().all(|carrier| code(carrier.as_str()))
    }),
    ("form", "the item is handled on the phone: add a form", |item| item.has(Mode::Mobile) && item.form.is_none()),
    (
        "form",
        "only an item that is handled on the phone has a form: add the mode `mobile` or remove the form",
        |item| !item.has(Mode::Mobile) && item.form.is_some(),
    ),
    ("town_hall", "must be true: the halls of the towns receive applications for an item of the towns", |item| {
        item.level == Level::Town && !item.town_hall
    }),
    (
        "village_hall",
        "must be true: the halls of the villages receive applications for an item of the villages",
        |item| item.level == Level::Village && !item.village_hall,
    ),
    ("village_hall", "a town also receives the applications that its villages receive: set town_hall too", |item| {
        item.village_hall && !item.town_hall
    }),
];

/// Checks that the guide of a permit lists the stages of the procedure and answers frequent questions. procedures.toml
/// contains the defaults for all permits, so this check is skipped if that file could not be read.
fn check_procedure(item: &Item, shared: &Shared, faults: &mut Faults) {
    /// The minimum number of stages of a permit, as in the administration's own lists.
    const STAGES: usize = 5;
    if item.kind != ItemType::Permit || shared.procedures.is_none() {
        return;
    }
    if item.stages.len() < STAGES {
        faults.add("stages", &format!("a permit needs at least {STAGES}: add them to procedures.toml or to the item"));
    }
    if item.faqs.is_empty() {
        faults.add("faqs", "a permit needs at least one: add it to procedures.toml or to the item");
    }
}

/// Checks that an item has at least one topic for each kind of applicant that may apply for it, and no topic of another
/// kind.
fn check_topics(item: &Item, shared: &Shared, faults: &mut Faults) {
    // If topics.toml or agencies.toml could not be read, the item may lack the topics that it inherits from its agency.
    // The check is then skipped.
    let (Some(topics), Some(_)) = (&shared.topics, &shared.agencies) else { return };
    let mut subjects = BTreeSet::new();
    for code in &item.topics {
        match topics.iter().find(|topic| topic.code == *code) {
            None => faults.add("topics", &format!("{code} is not in topics.toml")),
            Some(topic) if !item.subject.admits(topic.subject) => {
                let advice = format!("{code} is a topic of applicants that cannot apply for this item; remove it");
                faults.add("topics", &advice);
            }
            Some(topic) => {
                subjects.insert(topic.subject);
            }
        }
    }
    for (subject, words) in [(Subject::NaturalPerson, "natural"), (Subject::LegalPerson, "legal")] {
        if item.subject.admits(subject) && !subjects.contains(&subject) {
            let place = "add one here, or in agencies.toml to the guiding agency";
            faults.add("topics", &format!("needs a topic of {words} persons: {place}"));
        }
    }
}

/// True if the item's guide must state the fact.
fn owes(item: &Item, fact: Fact) -> bool {
    let permit = item.kind == ItemType::Permit;
    match fact {
        Fact::LegalBasis | Fact::ResultSample => permit,
        Fact::Conditions => permit || item.has(Mode::Mobile),
        Fact::FeeStatute => permit && item.fee.is_some(),
        Fact::OnlinePayment => item.fee.is_some(),
        Fact::ConsultPhone | Fact::ComplaintPhone | Fact::Halls => false,
    }
}

/// True if the item states the fact.
fn tells(item: &Item, fact: Fact) -> bool {
    match fact {
        Fact::LegalBasis => item.legal_basis.is_some(),
        Fact::ResultSample => item.result_sample.is_some(),
        Fact::Conditions => item.conditions.is_some(),
        Fact::FeeStatute => item.fee.as_ref().is_some_and(|fee| fee.statute.is_some()),
        Fact::OnlinePayment => item.fee.as_ref().is_some_and(|fee| fee.online_payment.is_some()),
        Fact::ConsultPhone | Fact::ComplaintPhone | Fact::Halls => false,
    }
}

/// True if a promised period surely ends after the legal period, whatever the start day. If the promise is in natural
/// days and the legal period in working days, the result is false: the promise may end earlier, even if its number of
/// days is larger.
const fn is_longer(promised: TimeLimit, legal: TimeLimit) -> bool {
    let may_fit = matches!((promised.unit, legal.unit), (DayUnit::Day, DayUnit::Workday));
    promised.days > legal.days && !may_fit
}

/// The kind of a result that its name implies. A note in brackets at the end of the name is ignored.
fn kind_by_name(name: &str) -> Option<ResultKind> {
    let bracket = name.ends_with([')', '）']).then(|| name.rfind(['(', '（'])).flatten();
    let name = name.get(..bracket.unwrap_or(name.len())).unwrap_or(name).trim_end();
    let kinds = [("证", ResultKind::Certificate), ("文", ResultKind::Document), ("批复", ResultKind::Approval)];
    kinds.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| kind)
}

fn has_twins<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(at, entry)| list[..at].contains(entry))
}
