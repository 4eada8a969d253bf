//! The parcels of all simulated carriers. A parcel gets the scans of its route one after another. A scan is the
//! carrier's report that the parcel was seen somewhere. The route is a list of planned scans, which the carrier's twin
//! (the simulation) defines. An order can be cancelled before the first scan.

use std::collections::{BTreeMap, VecDeque};
use std::str::FromStr;
use std::sync::Mutex;

use chrono::TimeDelta;
use serde::Serialize;

use super::shards::{Shards, lock};
use crate::domain::kernel::clock::Instant;

/// A planned scan of a route: the carrier's code and text.
pub type Station = (&'static str, &'static str);

/// A scan that has happened.
#[derive(Debug, Clone, Serialize)]
pub struct StationScan {
    pub code: &'static str,
    pub text: &'static str,
    pub place: String,
    /// Each scan of a parcel is at least a second after the one before.
    pub at: Instant,
}

/// The recipient on the label.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Addressee {
    pub name: String,
    pub phone: String,
    pub place: String,
    /// The rest of the address: street and number.
    pub detail: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct BookedParcel {
    pub carrier: &'static str,
    pub order_no: String,
    pub waybill: String,
    pub state: OrderState,
    pub recipient: Addressee,
    pub scans: Vec<StationScan>,
    /// How often Songda sent this order: 1 unless Songda repeated it.
    pub asked: u32,
    /// The number of callbacks about this parcel that Songda acknowledged.
    pub acknowledged: u32,
    /// The number of callbacks about this parcel that Songda did not acknowledge.
    pub refused: u32,
    pub ordered_at: Instant,
    #[serde(skip)]
    route: &'static [Station],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    Live,
    Cancelled,
}

pub struct Moved {
    pub parcel: BookedParcel,
    /// The new scans, in order. `parcel` contains them too.
    pub scans: Vec<StationScan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    Now,
    /// The order was cancelled before.
    Before,
    /// The parcel was collected already.
    TooLate,
    Absent,
}

/// How a carrier's twin (the simulation) answers an order whose number was used before. Real carriers do either,
/// depending on the account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RepeatedOrder {
    /// The twin repeats its answer to the first order.
    Same,
    Refuse,
}

impl FromStr for RepeatedOrder {
    type Err = ();

    /// Parses a setting. `8016` is SF's error code for a repeated order.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "same" => Ok(Self::Same),
            "refuse" | "8016" => Ok(Self::Refuse),
            _ => Err(()),
        }
    }
}

#[derive(Default)]
pub struct Parcels {
    by_order: Shards<BookedParcel>,
    by_waybill: Shards<String>,
    recent: Mutex<VecDeque<String>>,
}

/// The number of parcels that the sandbox's web page shows.
const RECENT: usize = 40;

impl Parcels {
    /// Accepts an order, or finds the existing order with the same number. The second value is true if the order is
    /// new.
    pub fn book(&self, parcel: BookedParcel) -> (BookedParcel, bool) {
        let key = key(parcel.carrier, &parcel.order_no);
        let (booked, new) = self.by_order.with(&key, |shard| {
            if let Some(known) = shard.get_mut(&key) {
                known.asked += 1;
                return (known.clone(), false);
            }
            shard.insert(key.clone(), parcel.clone());
            (parcel, true)
        });
        if new {
            let waybill = self::key(booked.carrier, &booked.waybill);
            self.by_waybill.with(&waybill, |shard| shard.insert(waybill.clone(), key.clone()));
            let mut recent = lock(&self.recent);
            recent.push_front(key);
            recent.truncate(RECENT);
        }
        (booked, new)
    }

    /// Finds an order by Songda's order number.
    pub fn of_order(&self, carrier: &str, order_no: &str) -> Option<BookedParcel> {
        self.by_order.get(&key(carrier, order_no))
    }

    /// Finds an order by the carrier's waybill number.
    pub fn of_waybill(&self, carrier: &str, waybill: &str) -> Option<BookedParcel> {
        self.by_order.get(&self.by_waybill.get(&key(carrier, waybill))?)
    }

    pub fn cancel(&self, carrier: &str, order_no: &str) -> Cancelled {
        self.change(carrier, order_no, |parcel| match parcel.state {
            OrderState::Cancelled => Cancelled::Before,
            OrderState::Live if !parcel.scans.is_empty() => Cancelled::TooLate,
            OrderState::Live => {
                parcel.state = OrderState::Cancelled;
                Cancelled::Now
            }
        })
        .unwrap_or(Cancelled::Absent)
    }

    /// Adds the next scans to one parcel; `None` if no such order exists.
    pub fn advance(&self, carrier: &str, order_no: &str, steps: usize, now: Instant) -> Option<Moved> {
        self.change(carrier, order_no, |parcel| {
            let scans = parcel.advance(steps, now);
            Moved { parcel: parcel.clone(), scans }
        })
    }

    /// Adds the first scan to every parcel of a recipient, except to parcels that have a scan already. Sends no
    /// callback.
    pub fn collect(&self, carrier: &str, phone: &str, now: Instant) {
        self.by_order.each(|_, parcel| {
            if parcel.carrier == carrier && parcel.recipient.phone == phone && parcel.scans.is_empty() {
                parcel.advance(1, now);
            }
        });
    }

    /// Adds the next scans to those parcels of a carrier that were ordered at `ordered_before` or earlier. Returns the
    /// parcels that got new scans.
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

    pub fn called_back(&self, carrier: &str, order_no: &str, acknowledged: bool) {
        self.change(carrier, order_no, |parcel| {
            let count = if acknowledged { &mut parcel.acknowledged } else { &mut parcel.refused };
            *count += 1;
        });
    }

    /// All parcels, by carrier and sorted by order number.
    pub fn all(&self) -> BTreeMap<&'static str, Vec<BookedParcel>> {
        let mut all: BTreeMap<_, Vec<BookedParcel>> = BTreeMap::new();
        self.by_order.each(|_, parcel| all.entry(parcel.carrier).or_default().push(parcel.clone()));
        for parcels in all.values_mut() {
            parcels.sort_by(|a, b| a.order_no.cmp(&b.order_no));
        }
        all
    }

    /// The latest orders, newest first.
    pub fn recent(&self) -> Vec<BookedParcel> {
        let keys: Vec<String> = lock(&self.recent).iter().cloned().collect();
        keys.iter().filter_map(|key| self.by_order.get(key)).collect()
    }

    /// The numbers of live and of cancelled orders.
    pub fn counts(&self) -> (u64, u64) {
        let mut live = 0;
        let mut cancelled = 0;
        self.by_order.each(|_, parcel| match parcel.state {
            OrderState::Live => live += 1,
            OrderState::Cancelled => cancelled += 1,
        });
        (live, cancelled)
    }

    pub fn clear(&self) {
        self.by_order.clear();
        self.by_waybill.clear();
        lock(&self.recent).clear();
    }

    fn change<R>(&self, carrier: &str, order_no: &str, act: impl FnOnce(&mut BookedParcel) -> R) -> Option<R> {
        let key = key(carrier, order_no);
        self.by_order.with(&key, |shard| shard.get_mut(&key).map(act))
    }
}

impl BookedParcel {
    pub fn new(
        carrier: &'static str,
        order_no: impl Into<String>,
        waybill: String,
        recipient: Addressee,
        route: &'static [Station],
        ordered_at: Instant,
    ) -> Self {
        Self {
            carrier,
            order_no: order_no.into(),
            waybill,
            state: OrderState::Live,
            recipient,
            scans: Vec::new(),
            asked: 1,
            acknowledged: 0,
            refused: 0,
            ordered_at,
            route,
        }
    }

    pub fn is_at_the_end(&self) -> bool {
        self.scans.len() == self.route.len()
    }

    fn advance(&mut self, steps: usize, now: Instant) -> Vec<StationScan> {
        if self.state == OrderState::Cancelled {
            return Vec::new();
        }
        let done = self.scans.len();
        for (code, text) in self.route.iter().skip(done).take(steps) {
            let after_the_last = self.scans.last().map_or(now, |last| last.at + TimeDelta::seconds(1));
            let place = self.recipient.place.clone();
            self.scans.push(StationScan { code, text, place, at: now.max(after_the_last) });
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

    const ROUTE: &[Station] = &[("1", "collected"), ("2", "under way"), ("3", "delivered")];

    fn parcel(order_no: &str, waybill: &str) -> BookedParcel {
        BookedParcel::new("ems", order_no, waybill.into(), Addressee::default(), ROUTE, Clock::system().now())
    }

    fn with_one_parcel() -> (Parcels, Instant) {
        let parcels = Parcels::default();
        parcels.book(parcel("SD1", "A"));
        (parcels, Clock::system().now())
    }

    #[test]
    fn one_order_number_is_one_order() {
        let parcels = Parcels::default();
        assert!(parcels.book(parcel("SD1", "A")).1);
        let (again, new) = parcels.book(parcel("SD1", "B"));
        assert_eq!((again.waybill.as_str(), again.asked, new), ("A", 2, false));
        assert!(parcels.of_waybill("ems", "B").is_none());
        assert!(parcels.of_order("sf", "SD1").is_none(), "carriers do not share numbers");
        assert_eq!(parcels.counts(), (1, 0));
    }

    #[test]
    fn a_parcel_moves_to_the_end_of_its_route_and_stays() {
        let (parcels, now) = with_one_parcel();
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
    fn a_collected_parcel_cannot_be_cancelled() {
        let (parcels, now) = with_one_parcel();
        parcels.collect("ems", "13912345678", now);
        assert!(parcels.of_order("ems", "SD1").unwrap().scans.is_empty(), "another phone's parcel");
        parcels.collect("ems", "", now);
        parcels.collect("ems", "", now);
        assert_eq!(parcels.of_order("ems", "SD1").unwrap().scans.len(), 1);
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::TooLate);
    }

    #[test]
    fn a_cancelled_parcel_does_not_move() {
        let (parcels, now) = with_one_parcel();
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::Now);
        assert_eq!(parcels.cancel("ems", "SD1"), Cancelled::Before);
        assert_eq!(parcels.cancel("ems", "SD2"), Cancelled::Absent);
        assert!(parcels.advance_all("ems", now, 1, now).is_empty());
        assert_eq!(parcels.counts(), (0, 1));
    }
}
