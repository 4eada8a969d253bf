//! Compares three ledgers: what the API promised to clients, what PostgreSQL contains, and what phones and carriers
//! received.

use std::collections::{BTreeMap, BTreeSet};

use songda::demo::sandbox::{HeldParcel as Order, ShownMessage};
use songda::domain::kernel::ids::CaseId;

use super::applicants::Pair;
use super::ledger::{Ledger, Promise};
use super::office::SOURCE;
use super::record::{Case, Parcel, Push, Record};
use super::town::Town;

#[derive(Default)]
pub struct Verdict {
    /// Counts, in the order in which they are printed.
    pub counts: Vec<(&'static str, usize)>,
    /// Cases, messages, parcels and files that the API promised and that are missing.
    pub lost: Vec<String>,
    /// Cases, messages and orders that exist twice, and orders that the database does not know.
    pub doubled: Vec<String>,
    /// Messages that a phone showed twice after an attempt with an unknown outcome.
    pub ambiguous: Vec<String>,
    /// Anything else that must not happen.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// True if nothing is lost, done twice or wrong.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }
}

/// The third ledger: what phones and carriers received, as the sandbox reports it.
struct World {
    phones: BTreeMap<String, Vec<ShownMessage>>,
    /// By carrier and order number.
    orders: BTreeMap<(String, String), Order>,
}

pub async fn check(town: &Town, ledger: &Ledger, pairs: &[Pair]) -> Verdict {
    let record = Record::read(town).await;
    let orders = town.sandbox.parcels().await.unwrap().into_iter();
    let orders = orders.map(|parcel| ((parcel.carrier.clone(), parcel.order_no.clone()), parcel)).collect();
    let world = World { phones: town.sandbox.phones().await.unwrap(), orders };
    let promises = ledger.promises();
    let mut verdict = Verdict { wrong: ledger.wrongs(), ..Verdict::default() };
    verdict.wrong.append(&mut town.surprises.lock().unwrap());
    verdict.cases(&promises, &record);
    for promise in promises.values() {
        verdict.messages(promise, record.pushes.get(&promise.number).map_or(&[][..], Vec::as_slice), &world);
        verdict.parcel(promise, &record, &world);
    }
    verdict.orders(&record, &world);
    verdict.files(ledger, pairs).await;
    verdict.count(&promises, &record, &world, ledger);
    verdict
}

impl Verdict {
    /// Checks that every decision that the API accepted is one case, and that there is no other case.
    fn cases(&mut self, promises: &BTreeMap<String, Promise>, record: &Record) {
        let mut numbers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for case in &record.cases {
            numbers.entry(name(case)).or_default().push(&case.number);
        }
        for (reference, promise) in promises {
            match numbers.remove(reference).as_deref() {
                None => self.lost.push(format!("{} was promised, and there is no such case", promise.number)),
                Some([number]) if *number == promise.number => {}
                Some([number]) => {
                    self.wrong.push(format!("{reference} is {number}, and was promised as {}", promise.number))
                }
                Some(several) => self.doubled.push(format!("{reference} is {several:?}")),
            }
        }
        self.wrong.extend(numbers.keys().map(|reference| format!("{reference} is a case that no client was promised")));
        if record.deadlocks > 0 {
            self.wrong.push(format!("{} deadlocks: locks are not taken in one order", record.deadlocks));
        }
        if record.untried > 0 {
            self.wrong.push(format!("{} jobs are done without an attempt", record.untried));
        }
    }

    /// Checks that the phone showed every message for which the database has a push job, and showed it once.
    fn messages(&mut self, promise: &Promise, pushes: &[Push], world: &World) {
        let number = &promise.number;
        if pushes.iter().filter(|push| push.event == "granted").count() != 1 {
            self.lost.push(format!("{number} was granted, and no push was promised for it"));
        }
        let addresses = [Some(&promise.phone), promise.openid.as_ref()];
        let messages = addresses.into_iter().flatten().filter_map(|address| world.phones.get(address)).flatten();
        let mut copies: BTreeMap<BTreeSet<&str>, u32> = BTreeMap::new();
        for message in messages.filter(|message| message.says(number)) {
            *copies.entry(message.words()).or_default() += message.copies;
        }
        let events: Vec<&str> = pushes.iter().map(|push| push.event.as_str()).collect();
        let seen = copies.len();
        if seen < pushes.len() {
            let stories: Vec<String> = pushes.iter().map(|push| format!("{}: {}", push.event, push.story)).collect();
            let stories = stories.join("\n  ");
            self.lost.push(format!("{number}: {seen} messages arrived of these:\n  {stories}"));
        } else if seen > pushes.len() {
            self.wrong.push(format!("{number}: only {events:?} were promised, and {seen} messages arrived"));
        }
        for (words, copies) in copies.iter().filter(|(_, copies)| **copies > 1) {
            let unclear = pushes.iter().any(|push| push.unclear);
            let what = format!("{number}: {copies} copies of {words:?}");
            if unclear { &mut self.ambiguous } else { &mut self.doubled }.push(what);
        }
    }

    /// Checks that a promised parcel is ordered at its carrier, with the order number and the waybill in the database.
    fn parcel(&mut self, promise: &Promise, record: &Record, world: &World) {
        let number = &promise.number;
        let parcels = record.parcels.get(number).map_or(&[][..], Vec::as_slice);
        match (promise.carrier, parcels) {
            (None, []) => {}
            (Some(carrier), [parcel]) if parcel.carrier == carrier => {
                let order = world.orders.get(&(parcel.carrier.clone(), parcel.order_no.clone()));
                match order.filter(|order| order.state == "live") {
                    None => {
                        let state = order.map_or("unknown", |order| order.state.as_str());
                        let Parcel { order_no, story, .. } = parcel;
                        self.lost.push(format!("{number}: the order {order_no} is {state} at the carrier: {story}"));
                    }
                    Some(order) if Some(&order.waybill) == parcel.waybill.as_ref() => {}
                    Some(order) => {
                        self.wrong
                            .push(format!("{number}: its waybill is {}, and not {:?}", order.waybill, parcel.waybill));
                    }
                }
            }
            (Some(carrier), []) => self.lost.push(format!("{number}: there is no parcel for {carrier}")),
            (carrier, parcels) => self.doubled.push(format!("{number}: {} parcels for {carrier:?}", parcels.len())),
        }
    }

    /// Checks that carriers have no open order that the database does not know.
    fn orders(&mut self, record: &Record, world: &World) {
        let known: BTreeSet<(&str, &str)> = record
            .parcels
            .values()
            .flatten()
            .map(|parcel| (parcel.carrier.as_str(), parcel.order_no.as_str()))
            .collect();
        let live = world.orders.values().filter(|order| order.state == "live");
        let unknown = live.filter(|order| !known.contains(&(order.carrier.as_str(), order.order_no.as_str())));
        self.doubled.extend(unknown.map(|order| {
            format!(
                "{} has a live order {} to {} that the record does not know",
                order.carrier, order.order_no, order.recipient.phone
            )
        }));
    }

    async fn files(&mut self, ledger: &Ledger, pairs: &[Pair]) {
        for file in ledger.files() {
            if !pairs[file.owner].still_has(&file).await {
                self.lost.push(format!("{} was stored, and cannot be read", file.upload));
            }
        }
    }

    fn count(&mut self, promises: &BTreeMap<String, Promise>, record: &Record, world: &World, ledger: &Ledger) {
        let live = world.orders.values().filter(|order| order.state == "live").count();
        let copies = world.phones.values().flatten().map(|message| message.copies as usize).sum();
        self.counts = vec![
            ("decisions that clients were promised", promises.len()),
            ("requests that clients had to repeat", usize::try_from(ledger.repeated()).unwrap()),
            ("cases in PostgreSQL", record.cases.len()),
            ("notifications for which a push was promised", record.pushes.values().map(Vec::len).sum()),
            ("messages that phones received, sign-in codes included", copies),
            ("parcels in PostgreSQL", record.parcels.values().map(Vec::len).sum()),
            ("live orders at carriers", live),
            ("orders withdrawn in doubt, and ordered again", world.orders.len() - live),
            ("uploads that were answered as stored", ledger.files().len()),
            ("deadlocks since PostgreSQL's last crash", usize::try_from(record.deadlocks).unwrap()),
            ("attempts at jobs", usize::try_from(record.attempts).unwrap()),
        ];
    }
}

/// Returns the reference under which the client knows a case.
fn name(case: &Case) -> String {
    match &case.source_ref {
        Some(reference) if case.source == SOURCE => reference.clone(),
        _ => CaseId::from_uuid(case.id).to_string(),
    }
}
