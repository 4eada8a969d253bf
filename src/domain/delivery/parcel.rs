//! Parcels (寄递): one courier order each. What a carrier tells is kept as it came; where a parcel stands is a
//! fold over all of it, so late, doubled and re-ordered news do no harm.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::clock::{Instant, can_have_happened};
use crate::domain::kernel::foreign::{LONGEST_NUMBER, is_storable};
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::shown::shown;

/// The name of a carrier (承运商): `ems`, `sf`, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CarrierCode(String);
shown!(CarrierCode);

impl CarrierCode {
    /// Names a carrier.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }
}

/// Our own order number at a carrier: minted once and stored before the first call, never used for another
/// order, not even after a cancellation. It is the only idempotency that Chinese carriers know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNo(String);
shown!(OrderNo);

impl OrderNo {
    /// The number of a parcel's n-th order (from 1). A further order exists only after the one before it was
    /// proved cancelled or impossible.
    #[must_use]
    pub fn mint(parcel: ParcelId, round: u32) -> Self {
        let body = ulid::Ulid::from_bytes(*parcel.uuid().as_bytes());
        if round <= 1 { Self(format!("SD{body}")) } else { Self(format!("SD{body}-{round}")) }
    }

    /// A number as the database or a carrier holds it.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

/// A carrier's number for a parcel (运单号).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Waybill(String);
shown!(Waybill);

impl Waybill {
    /// A waybill number as a carrier gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it can be a number.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.0.is_empty() && is_storable(&self.0, LONGEST_NUMBER)
    }
}

/// The bytes of a scan's key at the most: numbers, a time, a code.
const LONGEST_KEY: usize = 3 * LONGEST_NUMBER;
/// The bytes of a place's name at the most.
const LONGEST_PLACE: usize = 1000;

/// What one scan means, whatever the carrier calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanMeaning {
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取: in a locker or at an outlet. For a certificate this is not yet receipt.
    ReadyForPickup,
    /// 异常: an attempt failed, or something needs attention.
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// A code that we do not know, or one that changes nothing: kept, counted, never guessed.
    Unchanged,
}

impl ScanMeaning {
    /// Whether the way ends with it.
    #[must_use]
    pub const fn ends_the_way(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled)
    }
}

/// One event of a parcel's way, as a carrier reported it by push or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Our order number, where the carrier repeats it.
    pub order_no: Option<OrderNo>,
    /// The carrier's number.
    pub waybill: Waybill,
    /// The same event has the same key, however often and on whichever path it is told.
    pub key: String,
    /// The carrier's own code.
    pub code: String,
    /// What it means.
    pub meaning: ScanMeaning,
    /// When it happened, by the carrier's clock.
    pub occurred_at: Instant,
    /// Where, as the carrier words it.
    pub place: String,
    /// The carrier's words. They may hold a courier's name and phone.
    pub text: Private<String>,
    /// The whole of it, as the carrier told it.
    pub raw: Private<String>,
}

impl Scan {
    /// Whether it can be what it says.
    #[must_use]
    pub fn is_sound(&self, now: Instant) -> bool {
        self.waybill.is_sound()
            && self.order_no.as_ref().is_none_or(|number| is_storable(number.as_str(), LONGEST_NUMBER))
            && is_storable(&self.key, LONGEST_KEY)
            && is_storable(&self.code, LONGEST_NUMBER)
            && is_storable(&self.place, LONGEST_PLACE)
            && can_have_happened(self.occurred_at, now)
    }
}

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelState {
    /// 待下单: promised, not yet ordered.
    Pending,
    /// 已下单: the carrier has the order.
    Ordered,
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取
    ReadyForPickup,
    /// 异常
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// 地址被拒: the carrier will not go there; a person must mend the address.
    AddressRefused,
}

impl ParcelState {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Ordered,
        Self::PickedUp,
        Self::InTransit,
        Self::OutForDelivery,
        Self::ReadyForPickup,
        Self::Exception,
        Self::Delivered,
        Self::Returning,
        Self::Returned,
        Self::Cancelled,
        Self::AddressRefused,
    ];

    /// As stored and as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ordered => "ordered",
            Self::PickedUp => "picked_up",
            Self::InTransit => "in_transit",
            Self::OutForDelivery => "out_for_delivery",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::Exception => "exception",
            Self::Delivered => "delivered",
            Self::Returning => "returning",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::AddressRefused => "address_refused",
        }
    }

    /// The state that was stored under a name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the way ends here. (A later correction by the carrier may still re-open it.)
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled | Self::AddressRefused)
    }

    /// 未送达: whether the way ended and the recipient holds nothing. Then, and only then, another parcel may go out instead.
    #[must_use]
    pub const fn has_failed(self) -> bool {
        self.is_final() && !matches!(self, Self::Delivered)
    }

    /// Where a parcel stands after all that is known of its way, in whatever order it became known.
    ///
    /// The latest event that means something decides; of two at the same time, the one further along.
    #[must_use]
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
    /// The case whose result it carries.
    pub case: CaseId,
    /// At which carrier.
    pub carrier: CarrierCode,
    /// Our number at the carrier, minted before the first call.
    pub order_no: OrderNo,
    /// How often an order had to be made anew (from 1).
    pub round: u32,
    /// The carrier's number, once it gave one.
    pub waybill: Option<Waybill>,
    /// Where it stands.
    pub state: ParcelState,
    /// To whom and where.
    pub recipient: PostalAddress,
    /// When it was promised.
    pub created_at: Instant,
}

/// All that a carrier needs to know; never the item, which may say too much about the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelOrder {
    pub order_no: OrderNo,
    /// Who sends: the office.
    pub sender: PostalAddress,
    pub recipient: PostalAddress,
    /// When the order was first made: the same at every attempt.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEANINGS: [ScanMeaning; 10] = [
        ScanMeaning::PickedUp,
        ScanMeaning::InTransit,
        ScanMeaning::OutForDelivery,
        ScanMeaning::ReadyForPickup,
        ScanMeaning::Exception,
        ScanMeaning::Delivered,
        ScanMeaning::Returning,
        ScanMeaning::Returned,
        ScanMeaning::Cancelled,
        ScanMeaning::Unchanged,
    ];

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
        prop::collection::vec((0..MEANINGS.len(), 0..6_i64).prop_map(|(n, second)| scan(MEANINGS[n], second)), 0..8)
    }

    #[test]
    fn what_cannot_be_is_no_scan() {
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
    fn the_latest_news_decides_and_a_correction_re_opens() {
        let way = [(ScanMeaning::Delivered, 2), (ScanMeaning::PickedUp, 1)].map(|(meaning, at)| scan(meaning, at));
        assert_eq!(ParcelState::after(true, &way), ParcelState::Delivered);
        let corrected = scan(ScanMeaning::Returning, 3);
        assert_eq!(ParcelState::after(true, way.iter().chain([&corrected])), ParcelState::Returning);
        assert_eq!(ParcelState::after(true, [&scan(ScanMeaning::Unchanged, 1)]), ParcelState::Ordered);
        assert_eq!(ParcelState::after(false, []), ParcelState::Pending);
    }

    #[test]
    fn a_parcel_failed_where_its_way_ended_elsewhere_than_at_the_door() {
        let failed: Vec<ParcelState> = ParcelState::ALL.into_iter().filter(|state| state.has_failed()).collect();
        assert_eq!(failed, [ParcelState::Returned, ParcelState::Cancelled, ParcelState::AddressRefused]);
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_changes_where_a_parcel_stands(
            (told, shuffled) in scans().prop_flat_map(|told| {
                let doubled: Vec<Scan> = told.iter().chain(&told).cloned().collect();
                (Just(told), Just(doubled).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(ParcelState::after(true, &told), ParcelState::after(true, &shuffled));
        }
    }
}
