//! Compares three ledgers: what clients were told, what PostgreSQL says, and what phones and carriers received.

use std::collections::{BTreeMap, BTreeSet};

use songda::demo::sandbox::{HeldParcel, ShownMessage};
use songda::domain::kernel::ids::CaseId;

use super::applicants::Pair;
use super::office::SOURCE;
use super::record::{Case, Record, Ring};
use super::told::{Ledger, Told};
use super::town::Town;

/// What came out.
#[derive(Default)]
pub struct Verdict {
    /// How many of what there were, in the order in which they are printed.
    pub counts: Vec<(&'static str, usize)>,
    /// Promised, and not there.
    pub lost: Vec<String>,
    /// Done twice.
    pub doubled: Vec<String>,
    /// Shown twice after an attempt of which the record says that nobody knows its outcome.
    pub ambiguous: Vec<String>,
    /// Whatever else should not be.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// Whether nothing is lost, doubled or wrong.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }
}

/// The third ledger.
struct World {
    phones: BTreeMap<String, Vec<ShownMessage>>,
    /// By carrier and our order number.
    orders: BTreeMap<(String, String), HeldParcel>,
}

/// Compares them.
pub async fn check(town: &Town, ledger: &Ledger, pairs: &[Pair]) -> Verdict {
    let record = Record::read(town).await;
    let orders = town.sandbox.parcels().await.unwrap().into_iter();
    let orders = orders.map(|parcel| ((parcel.carrier.clone(), parcel.order_no.clone()), parcel)).collect();
    let world = World { phones: town.sandbox.phones().await.unwrap(), orders };
    let told = ledger.decisions();
    let mut verdict = Verdict { wrong: ledger.wrongs(), ..Verdict::default() };
    verdict.wrong.append(&mut town.surprises.lock().unwrap());
    verdict.cases(&told, &record);
    for told in told.values() {
        verdict.rings(told, record.rings.get(&told.number).map_or(&[][..], Vec::as_slice), &world);
        verdict.parcel(told, &record, &world);
    }
    verdict.orders(&record, &world);
    verdict.files(ledger, pairs).await;
    verdict.count(&told, &record, &world, ledger);
    verdict
}

impl Verdict {
    /// Every decision that somebody was told of is one case, and there is no other case.
    fn cases(&mut self, told: &BTreeMap<String, Told>, record: &Record) {
        let mut numbers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for case in &record.cases {
            numbers.entry(name(case)).or_default().push(&case.number);
        }
        for (reference, told) in told {
            match numbers.remove(reference).as_deref() {
                None => self.lost.push(format!("{} was told to be taken, and is no case", told.number)),
                Some([number]) if *number == told.number => {}
                Some([number]) => {
                    self.wrong.push(format!("{reference} is {number}, and was told to be {}", told.number))
                }
                Some(several) => self.doubled.push(format!("{reference} is {several:?}")),
            }
        }
        self.wrong.extend(numbers.keys().map(|reference| format!("{reference} is a case that nobody was told of")));
        if record.deadlocks > 0 {
            self.wrong.push(format!("{} deadlocks: locks are not taken in one order", record.deadlocks));
        }
        if record.untried > 0 {
            self.wrong.push(format!("{} jobs are done that nobody tried", record.untried));
        }
    }

    /// The phone showed all that was to ring it, each once.
    fn rings(&mut self, told: &Told, rings: &[Ring], world: &World) {
        let number = &told.number;
        if rings.iter().filter(|ring| ring.event == "granted").count() != 1 {
            self.lost.push(format!("{number} was granted, and no phone was to ring for it"));
        }
        let addresses = [Some(&told.phone), told.openid.as_ref()];
        let messages = addresses.into_iter().flatten().filter_map(|address| world.phones.get(address)).flatten();
        let mut copies: BTreeMap<BTreeSet<&str>, u32> = BTreeMap::new();
        for message in messages.filter(|message| message.says(number)) {
            *copies.entry(message.words()).or_default() += message.copies;
        }
        let (events, seen) = (rings.iter().map(|ring| ring.event.as_str()).collect::<Vec<_>>(), copies.len());
        if seen < rings.len() {
            let stories: Vec<String> = rings.iter().map(|ring| format!("{}: {}", ring.event, ring.story)).collect();
            let stories = stories.join("\n  ");
            self.lost.push(format!("{number}: {seen} were seen of what was to ring:\n  {stories}"));
        } else if seen > rings.len() {
            self.wrong.push(format!("{number}: only {events:?} were to ring, and {seen} were seen"));
        }
        for (words, copies) in copies.iter().filter(|(_, copies)| **copies > 1) {
            let unclear = rings.iter().any(|ring| ring.unclear);
            let what = format!("{number}: {copies} copies of {words:?}");
            if unclear { &mut self.ambiguous } else { &mut self.doubled }.push(what);
        }
    }

    /// What is to be brought is ordered, under the numbers that are in the record.
    fn parcel(&mut self, told: &Told, record: &Record, world: &World) {
        let number = &told.number;
        let parcels = record.parcels.get(number).map_or(&[][..], Vec::as_slice);
        match (told.carrier, parcels) {
            (None, []) => {}
            (Some(carrier), [parcel]) if parcel.carrier == carrier => {
                let order = world.orders.get(&(parcel.carrier.clone(), parcel.order_no.clone()));
                match order.filter(|order| order.state == "live") {
                    None => {
                        let (order_no, story) = (&parcel.order_no, &parcel.story);
                        let at_carrier = order.map_or("unknown", |order| order.state.as_str());
                        let what = format!("no carrier has the order {order_no}, which is {at_carrier} there: {story}");
                        self.lost.push(format!("{number}: {what}"));
                    }
                    Some(order) if Some(&order.waybill) == parcel.waybill.as_ref() => {}
                    Some(order) => {
                        self.wrong
                            .push(format!("{number}: its waybill is {}, and not {:?}", order.waybill, parcel.waybill));
                    }
                }
            }
            (Some(carrier), []) => {
                self.lost.push(format!("{number}: {carrier} was to bring it, and there is no parcel"))
            }
            (carrier, parcels) => self.doubled.push(format!("{number}: {} parcels for {carrier:?}", parcels.len())),
        }
    }

    /// Carriers hold no order that the record does not know.
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
                "{} carries {} to {}, and the record does not know",
                order.carrier, order.order_no, order.recipient.phone
            )
        }));
    }

    async fn files(&mut self, ledger: &Ledger, pairs: &[Pair]) {
        for file in ledger.files() {
            if !pairs[file.owner].still_has(&file).await {
                self.lost.push(format!("{} was told to be kept, and cannot be read", file.upload));
            }
        }
    }

    fn count(&mut self, told: &BTreeMap<String, Told>, record: &Record, world: &World, ledger: &Ledger) {
        let live = world.orders.values().filter(|order| order.state == "live").count();
        let copies = world.phones.values().flatten().map(|message| message.copies as usize).sum();
        self.counts = vec![
            ("decisions that clients were told to be taken", told.len()),
            ("requests that clients had to repeat", usize::try_from(ledger.repeated()).unwrap()),
            ("cases in PostgreSQL", record.cases.len()),
            ("notifications that were to ring a phone", record.rings.values().map(Vec::len).sum()),
            ("messages that phones received, sign-in codes included", copies),
            ("parcels in PostgreSQL", record.parcels.values().map(Vec::len).sum()),
            ("orders that carriers carry out", live),
            ("orders withdrawn in doubt, and ordered anew", world.orders.len() - live),
            ("uploads that residents were told to be kept", ledger.files().len()),
            ("deadlocks since PostgreSQL crashed last", usize::try_from(record.deadlocks).unwrap()),
            ("attempts at jobs", usize::try_from(record.attempts).unwrap()),
        ];
    }
}

/// What the client calls it.
fn name(case: &Case) -> String {
    match &case.source_ref {
        Some(reference) if case.source == SOURCE => reference.clone(),
        _ => CaseId::from_uuid(case.id).to_string(),
    }
}
