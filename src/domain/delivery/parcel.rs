//! Parcels (寄递). The scans that a carrier reports are stored unchanged, and a parcel's state is computed from all of
//! them. So late, repeated and reordered reports do no harm.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::clock::{Instant, can_have_happened};
use crate::domain::kernel::foreign::{LONGEST_NUMBER, is_storable};
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::shown::{codes, shown};
use crate::domain::kernel::words::words;

codes! {
    /// The name of a carrier (承运商): `ems`, `sf`, …
    CarrierCode;
    /// A carrier's number for a parcel (运单号).
    Waybill;
}

/// The order number that Songda gives to a carrier. It is stored before the first request, and never used for another
/// order, not even after a cancellation: carriers recognise a repeated order only by this number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNo(String);
shown!(OrderNo);

impl OrderNo {
    /// The order number for the `round`-th order of a parcel, from 1. The next number is used only if it is certain
    /// that the previous order was cancelled or never existed.
    pub fn mint(parcel: ParcelId, round: u32) -> Self {
        let body = ulid::Ulid::from_bytes(*parcel.uuid().as_bytes());
        if round <= 1 { Self(format!("SD{body}")) } else { Self(format!("SD{body}-{round}")) }
    }

    /// Wraps a number that comes from the database or from a carrier.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl Waybill {
    /// True if the number is not empty and can be stored.
    pub fn is_sound(&self) -> bool {
        !self.0.is_empty() && is_storable(&self.0, LONGEST_NUMBER)
    }
}

/// The maximum length of a scan's key in bytes. Some carriers' adapters build the key from several numbers, a time and
/// a code.
const LONGEST_KEY: usize = 3 * LONGEST_NUMBER;
/// The maximum length of the place in a scan, in bytes.
const LONGEST_PLACE: usize = 1000;

words! {
    /// The meaning of a scan (one reported event of a parcel's journey). Each carrier's adapter translates the
    /// carrier's codes into these meanings.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ScanMeaning {
        /// 已揽收
        PickedUp = "picked_up",
        /// 运输中
        InTransit = "in_transit",
        /// 派送中
        OutForDelivery = "out_for_delivery",
        /// 待领取: in a locker or at an outlet. The recipient does not have the parcel yet.
        ReadyForPickup = "ready_for_pickup",
        /// 异常: a delivery attempt failed, or something needs attention.
        Exception = "exception",
        /// 已签收
        Delivered = "delivered",
        /// 退回中
        Returning = "returning",
        /// 已退回
        Returned = "returned",
        /// 已取消
        Cancelled = "cancelled",
        /// The carrier's code is unknown, or does not change the state of the parcel. The scan is stored and counted,
        /// but the meaning of an unknown code is never guessed.
        Unchanged = "unchanged",
    }
}

impl ScanMeaning {
    /// True if a scan with this meaning ends the parcel's journey.
    pub const fn ends_the_way(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled)
    }
}

/// One event of a parcel's journey, as a carrier reported it in a callback or in the answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Our order number, if the carrier repeats it.
    pub order_no: Option<OrderNo>,
    pub waybill: Waybill,
    /// Identifies the event. All reports of one event have the same key, in callbacks and in answers to queries.
    pub key: String,
    /// The carrier's own code.
    pub code: String,
    pub meaning: ScanMeaning,
    /// When the event happened, by the carrier's clock.
    pub occurred_at: Instant,
    /// The place of the event, in the carrier's words.
    pub place: String,
    /// The carrier's description of the event. It may contain a courier's name and phone.
    pub text: Private<String>,
    /// The complete report as it came from the carrier.
    pub raw: Private<String>,
}

impl Scan {
    /// True if a parcel can have these numbers.
    pub fn has_sound_numbers(&self) -> bool {
        self.waybill.is_sound()
            && self.order_no.as_ref().is_none_or(|number| is_storable(number.as_str(), LONGEST_NUMBER))
    }

    /// True if the numbers, codes and place are short enough to be stored, and the time is plausible.
    pub fn is_sound(&self, now: Instant) -> bool {
        self.has_sound_numbers()
            && is_storable(&self.key, LONGEST_KEY)
            && is_storable(&self.code, LONGEST_NUMBER)
            && is_storable(&self.place, LONGEST_PLACE)
            && can_have_happened(self.occurred_at, now)
    }
}

/// The numbers by which an unsigned callback names a parcel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HintedParcel {
    /// Our order number, if the callback contains it.
    pub order_no: Option<OrderNo>,
    pub waybill: Waybill,
}

words! {
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ParcelState {
        /// 待下单: the order is not placed yet.
        Pending = "pending",
        /// 已下单: the carrier has the order.
        Ordered = "ordered",
        /// 已揽收
        PickedUp = "picked_up",
        /// 运输中
        InTransit = "in_transit",
        /// 派送中
        OutForDelivery = "out_for_delivery",
        /// 待领取
        ReadyForPickup = "ready_for_pickup",
        /// 异常
        Exception = "exception",
        /// 已签收
        Delivered = "delivered",
        /// 退回中
        Returning = "returning",
        /// 已退回
        Returned = "returned",
        /// 已取消
        Cancelled = "cancelled",
        /// 地址被拒: the carrier does not deliver there; a person must correct the address.
        AddressRefused = "address_refused",
    }
}

impl ParcelState {
    /// True if the journey ends here. (A later correction by the carrier may still reopen it.)
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled | Self::AddressRefused)
    }

    /// 未送达: true if the journey ended and the recipient received nothing. Only then can another parcel be sent instead.
    pub const fn has_failed(self) -> bool {
        self.is_final() && !matches!(self, Self::Delivered)
    }

    /// Computes the state of a parcel from its scans, in whatever order they are given. `ordered` is true if the
    /// carrier has the order.
    ///
    /// The latest scan decides; scans that change nothing are ignored. Of two scans at the same time, the one further
    /// along the journey decides.
    pub fn after<'a>(ordered: bool, scans: impl IntoIterator<Item = &'a Scan>) -> Self {
        let start = if ordered { Self::Ordered } else { Self::Pending };
        scans
            .into_iter()
            .filter_map(|scan| Self::meant_by(scan.meaning).map(|state| (scan.occurred_at, state)))
            .max()
            .map_or(start, |(_, state)| state)
    }

    const fn meant_by(meaning: ScanMeaning) -> Option<Self> {
        Some(match meaning {
            ScanMeaning::PickedUp => Self::PickedUp,
            ScanMeaning::InTransit => Self::InTransit,
            ScanMeaning::OutForDelivery => Self::OutForDelivery,
            ScanMeaning::ReadyForPickup => Self::ReadyForPickup,
            ScanMeaning::Exception => Self::Exception,
            ScanMeaning::Delivered => Self::Delivered,
            ScanMeaning::Returning => Self::Returning,
            ScanMeaning::Returned => Self::Returned,
            ScanMeaning::Cancelled => Self::Cancelled,
            ScanMeaning::Unchanged => return None,
        })
    }
}

/// A parcel from the office to an applicant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    pub id: ParcelId,
    pub person: PersonId,
    /// The case whose result is in the parcel.
    pub case: CaseId,
    pub carrier: CarrierCode,
    pub order_no: OrderNo,
    /// The number of the current order, from 1: an order may have to be placed again.
    pub round: u32,
    /// The carrier's number for the parcel. `None` until the carrier has given one.
    pub waybill: Option<Waybill>,
    pub state: ParcelState,
    pub recipient: PostalAddress,
    pub created_at: Instant,
}

impl Parcel {
    /// Notes that the carrier has accepted the order. If the waybill that it gave is invalid or missing, it reports another
    /// one later.
    pub fn mark_ordered(&mut self, waybill: Option<&Waybill>) {
        let told = waybill.filter(|waybill| waybill.is_sound()).cloned();
        self.waybill = told.or(self.waybill.take());
        if self.state == ParcelState::Pending {
            self.state = ParcelState::Ordered;
        }
    }

    /// Notes that the order, if it existed, is cancelled. The parcel is ordered again, under a new number, and gets another
    /// waybill.
    pub fn mark_withdrawn(&mut self) {
        self.round += 1;
        self.order_no = OrderNo::mint(self.id, self.round);
        self.waybill = None;
    }
}

/// The content of an order that is sent to a carrier. It does not name the item, because the item may reveal too much
/// about the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelOrder {
    pub order_no: OrderNo,
    /// The office that sends the parcel.
    pub sender: PostalAddress,
    pub recipient: PostalAddress,
    /// When the order was first created. Every attempt to place it sends the same time.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(meaning: ScanMeaning, second: i64) -> Scan {
        Scan {
            order_no: None,
            waybill: Waybill::new("1"),
            key: format!("{second}/{meaning:?}"),
            code: String::new(),
            meaning,
            occurred_at: Instant::from_timestamp(second, 0).unwrap(),
            place: String::new(),
            text: Private::default(),
            raw: Private::default(),
        }
    }

    fn scans() -> impl Strategy<Value = Vec<Scan>> {
        let all = ScanMeaning::ALL;
        prop::collection::vec((0..all.len(), 0..6_i64).prop_map(move |(n, second)| scan(all[n], second)), 0..8)
    }

    #[test]
    fn an_implausible_scan_is_not_sound() {
        let now = Instant::from_timestamp(1_800_000_000, 0).unwrap();
        let sound = scan(ScanMeaning::Delivered, 1_800_000_000);
        assert!(sound.is_sound(now));
        let changes: [fn(&mut Scan); 8] = [
            |scan| scan.waybill = Waybill::new(""),
            |scan| scan.waybill = Waybill::new("1".repeat(65)),
            |scan| scan.order_no = Some(OrderNo::from_stored("SD\0".to_owned())),
            |scan| scan.key = "k".repeat(5000),
            |scan| scan.code.push('\0'),
            |scan| scan.place.push('\0'),
            |scan| scan.occurred_at = Instant::MAX_UTC,
            |scan| scan.occurred_at = Instant::MIN_UTC,
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut unsound = sound.clone();
            change(&mut unsound);
            assert!(!unsound.is_sound(now), "change {at}");
        }
    }

    #[test]
    fn the_latest_event_decides_and_a_correction_reopens() {
        let journey = [(ScanMeaning::Delivered, 2), (ScanMeaning::PickedUp, 1)].map(|(meaning, at)| scan(meaning, at));
        assert_eq!(ParcelState::after(true, &journey), ParcelState::Delivered);
        let corrected = scan(ScanMeaning::Returning, 3);
        assert_eq!(ParcelState::after(true, journey.iter().chain([&corrected])), ParcelState::Returning);
        assert_eq!(ParcelState::after(true, [&scan(ScanMeaning::Unchanged, 1)]), ParcelState::Ordered);
        assert_eq!(ParcelState::after(false, []), ParcelState::Pending);
    }

    #[test]
    fn a_parcel_failed_if_its_journey_ended_without_delivery() {
        let failed: Vec<ParcelState> = ParcelState::ALL.into_iter().filter(|state| state.has_failed()).collect();
        assert_eq!(failed, [ParcelState::Returned, ParcelState::Cancelled, ParcelState::AddressRefused]);
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_of_events_changes_the_state_of_a_parcel(
            (reported, shuffled) in scans().prop_flat_map(|reported| {
                let doubled: Vec<Scan> = reported.iter().chain(&reported).cloned().collect();
                (Just(reported), Just(doubled).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(ParcelState::after(true, &reported), ParcelState::after(true, &shuffled));
        }
    }
}
