//! What must hold between the fields of an item, and between items: the rules that the real lists of items are checked
//! by, as far as our data carry their fields.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Faults;
use super::items::Placed;
use super::shared::Shared;
use super::unconfirmed;
use crate::domain::item::due::{DayUnit, TimeLimit};
use crate::domain::item::{CaseKind, DeliveryWay, Fact, Item, ItemType, Level, Mode, ResultKind, Subject};

/// Notes every rule that is broken. What could not be read is not looked up.
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
            faults.add("name", &format!("is that of {other}, too; no two items share a name"));
        }
        for (field, advice, _) in RULES.iter().filter(|(_, _, broken)| broken(item)) {
            faults.add(field, advice);
        }
        check_procedure(item, shared, faults);
        check_topics(item, shared, faults);
        unconfirmed::check(&item.unconfirmed, |it| owes(item, it), |it| tells(item, it), str::to_owned, faults);
    }
}

/// A rule: the field that it speaks of, what to do, and whether it is broken.
type Rule = (&'static str, &'static str, fn(&Item) -> bool);

/// The rules, each after the practice of the lists that the administration checks (GB/T 39554) or our own.
const RULES: &[Rule] = &[
    ("name", "needs words in both languages", |item| item.name.zh.trim().is_empty() || item.name.en.trim().is_empty()),
    ("promised", "0 days if and only if case_kind is `immediate`", |item| {
        (item.promised.days == 0) != (item.case_kind == CaseKind::Immediate)
    }),
    ("promised", "must not be longer than the legal period", |item| {
        item.legal.is_some_and(|legal| is_longer(item.promised, legal))
    }),
    ("result", "needs words in both languages", |item| {
        item.result.zh.trim().is_empty() || item.result.en.trim().is_empty()
    }),
    (
        "result_kind",
        "a result that is called …证 is a `certificate`, …文 a `document`, …批复 an `approval`",
        |item| kind_by_name(&item.result.zh).is_some_and(|kind| item.result_kind != Some(kind)),
    ),
    ("visits", "an item that is handled wholly online needs no visit: must be 0", |item| {
        item.has(Mode::Online) && item.visits > 0
    }),
    ("visits", "no visit, not online and not `by_post`: then nobody could apply", |item| {
        item.visits == 0 && !item.has(Mode::Online) && !item.by_post
    }),
    ("visit_reason", "say why a visit remains", |item| {
        item.visits > 0 && item.visit_reason.as_ref().is_none_or(|reason| reason.zh.trim().is_empty())
    }),
    ("visit_reason", "no visit, no reason: remove it", |item| item.visits == 0 && item.visit_reason.is_some()),
    ("fee", "a fee of 0 is no fee: remove it", |item| item.fee.as_ref().is_some_and(|fee| fee.fen == 0)),
    ("fee.basis", "name the document that allows the fee", |item| {
        item.fee.as_ref().is_some_and(|fee| fee.basis.trim().is_empty())
    }),
    ("fee.name", "say for what it is", |item| item.fee.as_ref().is_some_and(|fee| fee.name.zh.trim().is_empty())),
    ("fee.per", "say for how many of what: a rate is an amount and its measure", |item| {
        item.fee.as_ref().is_some_and(|fee| fee.per.is_none())
    }),
    ("delivery", "an item on the phone reaches the phone: add `mobile_push`", |item| {
        item.has(Mode::Mobile) && !item.delivers(DeliveryWay::MobilePush)
    }),
    ("delivery", "who is to print it needs a terminal: add the mode `self_service` or remove `self_print`", |item| {
        item.delivers(DeliveryWay::SelfPrint) && !item.has(Mode::SelfService)
    }),
    ("delivery", "name at least one way", |item| item.delivery.is_empty()),
    ("delivery", "a way is named twice", |item| has_twins(&item.delivery)),
    ("modes", "a mode is named twice", |item| has_twins(&item.modes)),
    ("materials", "a permit's guide lists the materials (行政许可法 30)", |item| {
        item.kind == ItemType::Permit && item.materials.is_empty()
    }),
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
    ("town_hall", "an item of the towns is taken in by their halls: set it", |item| {
        item.level == Level::Town && !item.town_hall
    }),
    ("village_hall", "an item of the villages is taken in by their halls: set it", |item| {
        item.level == Level::Village && !item.village_hall
    }),
    ("village_hall", "what a village takes in, its town takes in: set town_hall too", |item| {
        item.village_hall && !item.town_hall
    }),
];

/// A permit's guide tells how it goes and what people ask. Where what all permits share cannot be read, neither is asked for.
fn check_procedure(item: &Item, shared: &Shared, faults: &mut Faults) {
    /// Of a permit, by the practice of the lists.
    const STAGES: usize = 5;
    if item.kind != ItemType::Permit || shared.procedures.is_none() {
        return;
    }
    if item.stages.len() < STAGES {
        faults.add("stages", &format!("a permit has at least {STAGES}: in procedures.toml, or its own"));
    }
    if item.faqs.is_empty() {
        faults.add("faqs", "a permit answers at least one: in procedures.toml, or its own");
    }
}

/// An item stands under topics of those who may apply for it, and under no others.
fn check_topics(item: &Item, shared: &Shared, faults: &mut Faults) {
    // Without either file, an item has no topics of its agency.
    let (Some(topics), Some(_)) = (&shared.topics, &shared.agencies) else { return };
    let mut subjects = BTreeSet::new();
    for code in &item.topics {
        match topics.iter().find(|topic| topic.code == *code) {
            None => faults.add("topics", &format!("{code} is not in topics.toml")),
            Some(topic) if !item.subject.admits(topic.subject) => {
                faults.add("topics", &format!("{code} is no topic of those who may apply; remove it"));
            }
            Some(topic) => {
                subjects.insert(topic.subject);
            }
        }
    }
    for (subject, words) in [(Subject::NaturalPerson, "natural"), (Subject::LegalPerson, "legal")] {
        if item.subject.admits(subject) && !subjects.contains(&subject) {
            faults
                .add("topics", &format!("needs one of {words} persons: its own, or in agencies.toml of who guides it"));
        }
    }
}

/// What an item's guide owes its readers.
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

/// Whether a promise outlasts a legal period whatever the day. So many natural days may be fewer working days, and are
/// never more.
const fn is_longer(promised: TimeLimit, legal: TimeLimit) -> bool {
    let may_fit = matches!((promised.unit, legal.unit), (DayUnit::Day, DayUnit::Workday));
    promised.days > legal.days && !may_fit
}

/// What a result's name says of its kind; what stands in brackets at its end says nothing.
fn kind_by_name(name: &str) -> Option<ResultKind> {
    let bracket = name.ends_with([')', '）']).then(|| name.rfind(['(', '（'])).flatten();
    let name = name.get(..bracket.unwrap_or(name.len())).unwrap_or(name).trim_end();
    let kinds = [("证", ResultKind::Certificate), ("文", ResultKind::Document), ("批复", ResultKind::Approval)];
    kinds.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| kind)
}

fn has_twins<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(at, entry)| list[..at].contains(entry))
}
