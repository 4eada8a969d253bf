//! What the carriers hold: one book for all of them, by carrier and our order number. A parcel moves along a way of
//! scans that its carrier laid out, one at each step, until the last; cancelling stops it before the first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use chrono::TimeDelta;
use serde::Serialize;

use super::shards::{Shards, lock};
use crate::domain::kernel::clock::Instant;

/// One scan that lies ahead: the carrier's code, and its words.
pub type Station = (&'static str, &'static str);

/// One scan that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// The carrier's code.
    pub code: &'static str,
    /// The carrier's words.
    pub text: &'static str,
    pub place: String,
    /// When. No two scans of a parcel fall into the same second.
    pub at: Instant,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Recipient {
    /// Name on the label.
    pub name: String,
    /// Phone on the label.
    pub phone: String,
    /// City and county.
    pub place: String,
    /// The rest of the address.
    pub detail: String,
}

/// An order at a carrier.
#[derive(Debug, Clone, Serialize)]
pub struct Parcel {
    pub carrier: &'static str,
    pub order_no: String,
    /// The carrier's number.
    pub waybill: String,
    /// Where it stands.
    pub state: State,
    pub recipient: Recipient,
    pub scans: Vec<Scan>,
    /// How often we asked for it, the first time included.
    pub asked: u32,
    /// How many callbacks about it were acknowledged.
    pub acknowledged: u32,
    /// How many callbacks about it were not.
    pub refused: u32,
    /// When it was ordered.
    pub ordered_at: Instant,
    #[serde(skip)]
    way: &'static [Station],
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Taken, and not cancelled.
    Live,
    Cancelled,
}

/// A parcel, and the scans that are new.
pub struct Moved {
    /// The parcel after them.
    pub parcel: Parcel,
    /// The new scans, in order.
    pub scans: Vec<Scan>,
}

/// What became of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It is cancelled now.
    Now,
    /// It was cancelled before.
    Before,
    /// It is under way.
    TooLate,
    /// There is no such order.
    Absent,
}

/// The book of all carriers.
#[derive(Default)]
pub struct Parcels {
    by_order: Shards<Parcel>,
    by_waybill: Shards<String>,
    recent: Mutex<VecDeque<String>>,
}

/// How many parcels the page shows.
const RECENT: usize = 40;

impl Parcels {
    /// Takes an order, or finds the one that was taken under its number. Says whether it is new.
    pub fn book(&self, parcel: Parcel) -> (Parcel, bool) {
        let key = key(parcel.carrier, &parcel.order_no);
        let (booked, new) = self.by_order.with(&key, |piece| {
            if let Some(known) = piece.get_mut(&key) {
                known.asked += 1;
                return (known.clone(), false);
            }
            piece.insert(key.clone(), parcel.clone());
            (parcel, true)
        });
        if new {
            let waybill = self::key(booked.carrier, &booked.waybill);
            self.by_waybill.with(&waybill, |piece| piece.insert(waybill.clone(), key.clone()));
            let mut recent = lock(&self.recent);
            recent.push_front(key);
            recent.truncate(RECENT);
        }
        (booked, new)
    }

    /// The order of our number.
    #[must_use]
    pub fn of_order(&self, carrier: &str, order_no: &str) -> Option<Parcel> {
        self.by_order.get(&key(carrier, order_no))
    }

    /// The order of the carrier's number.
    #[must_use]
    pub fn of_waybill(&self, carrier: &str, waybill: &str) -> Option<Parcel> {
        self.by_order.get(&self.by_waybill.get(&key(carrier, waybill))?)
    }

    /// Cancels an order that has not been collected.
    pub fn cancel(&self, carrier: &str, order_no: &str) -> Cancelled {
        self.change(carrier, order_no, |parcel| match parcel.state {
            State::Cancelled => Cancelled::Before,
            State::Live if !parcel.scans.is_empty() => Cancelled::TooLate,
            State::Live => {
                parcel.state = State::Cancelled;
                Cancelled::Now
            }
        })
        .unwrap_or(Cancelled::Absent)
    }

    /// Moves one parcel on. `None` if there is none of this number.
    pub fn advance(&self, carrier: &str, order_no: &str, steps: usize, now: Instant) -> Option<Moved> {
        self.change(carrier, order_no, |parcel| {
            let scans = parcel.advance(steps, now);
            Moved { parcel: parcel.clone(), scans }
        })
    }

    /// Collects the parcels to a phone that wait at the office. Nobody is told.
    pub fn collect(&self, carrier: &str, phone: &str, now: Instant) {
        self.by_order.each(|_, parcel| {
            if parcel.carrier == carrier && parcel.recipient.phone == phone && parcel.scans.is_empty() {
                parcel.advance(1, now);
            }
        });
    }

    /// Moves all parcels of a carrier on that were ordered before an instant. Only those that moved are told.
    pub fn advance_all(&self, carrier: &str, ordered_before: Instant, steps: usize, now: Instant) -> Vec<Moved> {
        let mut moved = Vec::new();
        self.by_order.each(|_, parcel| {
            if parcel.carrier == carrier && parcel.ordered_at <= ordered_before {
                let scans = parcel.advance(steps, now);
                if !scans.is_empty() {
                    moved.push(Moved { parcel: parcel.clone(), scans });
                }
            }
        });
        moved
    }

    /// Notes what became of a callback.
    pub fn called_back(&self, carrier: &str, order_no: &str, acknowledged: bool) {
        self.change(
            carrier,
            order_no,
            |parcel| {
                if acknowledged { parcel.acknowledged += 1 } else { parcel.refused += 1 }
            },
        );
    }

    /// All parcels, by carrier and order number.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'static str, Vec<Parcel>> {
        let mut all: BTreeMap<_, Vec<Parcel>> = BTreeMap::new();
        self.by_order.each(|_, parcel| all.entry(parcel.carrier).or_default().push(parcel.clone()));
        for parcels in all.values_mut() {
            parcels.sort_by(|a, b| a.order_no.cmp(&b.order_no));
        }
        all
    }

    /// The parcels that were ordered last, the latest first.
    #[must_use]
    pub fn recent(&self) -> Vec<Parcel> {
        let keys: Vec<String> = lock(&self.recent).iter().cloned().collect();
        keys.iter().filter_map(|key| self.by_order.get(key)).collect()
    }

    /// How many are live, and how many cancelled.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let (mut live, mut cancelled) = (0, 0);
        self.by_order.each(|_, parcel| match parcel.state {
            State::Live => live += 1,
            State::Cancelled => cancelled += 1,
        });
        (live, cancelled)
    }

    pub fn clear(&self) {
        self.by_order.clear();
        self.by_waybill.clear();
        lock(&self.recent).clear();
    }

    fn change<R>(&self, carrier: &str, order_no: &str, act: impl FnOnce(&mut Parcel) -> R) -> Option<R> {
        let key = key(carrier, order_no);
        self.by_order.with(&key, |piece| piece.get_mut(&key).map(act))
    }
}

impl Parcel {
    /// A fresh order.
    #[must_use]
    pub fn new(
        carrier: &'static str,
        order_no: impl Into<String>,
        waybill: String,
        recipient: Recipient,
        way: &'static [Station],
        ordered_at: Instant,
    ) -> Self {
        let (order_no, state, scans) = (order_no.into(), State::Live, Vec::new());
        let (asked, acknowledged, refused) = (1, 0, 0);
        Self { carrier, order_no, waybill, state, recipient, scans, asked, acknowledged, refused, ordered_at, way }
    }

    /// Whether it has come to the end of its way.
    #[must_use]
    pub fn is_at_the_end(&self) -> bool {
        self.scans.len() == self.way.len()
    }

    fn advance(&mut self, steps: usize, now: Instant) -> Vec<Scan> {
        if self.state == State::Cancelled {
            return Vec::new();
        }
        let done = self.scans.len();
        for (code, text) in self.way.iter().skip(done).take(steps) {
            let after_the_last = self.scans.last().map_or(now, |last| last.at + TimeDelta::seconds(1));
            let place = self.recipient.place.clone();
            self.scans.push(Scan { code, text, place, at: now.max(after_the_last) });
        }
        self.scans.iter().skip(done).cloned().collect()
    }
}

fn key(carrier: &str, number: &str) -> String {
    format!("{carrier} {number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kernel::clock::Clock;

    const WAY: &[Station] = &[("1", "collected"), ("2", "under way"), ("3", "delivered")];

    fn parcel(order_no: &str, waybill: &str) -> Parcel {
        Parcel::new("ems", order_no, waybill.into(), Recipient::default(), WAY, Clock::system().now())
    }

    #[test]
    fn one_number_is_one_order() {
        let parcels = Parcels::default();
        assert!(parcels.book(parcel("SD1", "A")).1);
        let (again, new) = parcels.book(parcel("SD1", "B"));
        assert_eq!((again.waybill.as_str(), again.asked, new), ("A", 2, false));
        assert!(parcels.of_waybill("ems", "B").is_none());
        assert!(parcels.of_order("sf", "SD1").is_none(), "carriers do not share numbers");
        assert_eq!(parcels.counts(), (1, 0));
    }

    #[test]
    fn a_parcel_walks_to_the_end_and_stays() {
        let parcels = Parcels::default();
        parcels.book(parcel("SD1", "A"));
        let now = Clock::system().now();
        assert!(parcels.advance_all("ems", now - TimeDelta::seconds(1), 1, now).is_empty(), "just ordered");
        assert_eq!(parcels.advance_all("ems", now, 2, now).len(), 1);
        let moved = parcels.advance("ems", "SD1", 5, now).unwrap();
        assert_eq!(moved.scans.iter().map(|scan| scan.code).collect::<Vec<_>>(), ["3"]);
        assert!(moved.parcel.is_at_the_end());
        assert!(moved.parcel.scans.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert!(parcels.advance_all("ems", now, 1, now).is_empty());
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::TooLate);
    }

    #[test]
    fn what_is_collected_cannot_be_cancelled() {
        let (parcels, now) = (Parcels::default(), Clock::system().now());
        parcels.book(parcel("SD1", "A"));
        parcels.collect("ems", "13912345678", now);
        assert!(parcels.of_order("ems", "SD1").unwrap().scans.is_empty(), "somebody else's");
        parcels.collect("ems", "", now);
        parcels.collect("ems", "", now);
        assert_eq!(parcels.of_order("ems", "SD1").unwrap().scans.len(), 1);
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::TooLate);
    }

    #[test]
    fn a_cancelled_parcel_stands_still() {
        let (parcels, now) = (Parcels::default(), Clock::system().now());
        parcels.book(parcel("SD1", "A"));
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::Now);
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::Before);
        assert_eq!(parcels.cancel("ems", "SD2"), Cancelled::Absent);
        assert!(parcels.advance_all("ems", now, 1, now).is_empty());
        assert_eq!(parcels.counts(), (0, 1));
    }
}
