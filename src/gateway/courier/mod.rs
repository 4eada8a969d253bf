//! Carriers (承运商): courier companies that bring a parcel to a door. Each carrier has a folder and a line in
//! `registry.rs`. docs/adding-a-carrier.md says what a folder contains.

pub mod ems;
pub mod sf;

mod beijing_time;
mod lenient;
mod meaning;
mod office;
mod refusal;
#[cfg(test)]
mod sample;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::office::office;
pub use crate::gateway::shared::callback::{
    Acknowledgement, CallbackAccess, CallbackFault, CallbackNames, RawCallback,
};
use crate::gateway::shared::probe::Probe;

use crate::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::env::Env;

/// The declared content of every parcel. It never names the service (item) for which the resident applied, because that
/// name may reveal too much about the recipient.
const CARGO_NAME: &str = "文件";

/// The declared weight: a few sheets in an envelope. The carrier weighs the parcel itself.
const CARGO_GRAMS: u32 = 300;

/// An order that the carrier accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// `None` while the carrier checks the order by hand, or if the carrier does not report the waybill number.
    pub waybill: Option<Waybill>,
}

/// The reason why an operation failed. The worker decides the consequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierFact {
    /// The carrier has an order with this number already.
    Duplicate,
    /// The carrier does not deliver to this address or person: the recipient's data must be corrected.
    AddressRefused,
    /// The operation is not possible any more, such as a cancellation after pick-up.
    WrongState,
    /// The carrier knows no order with this number.
    Absent,
    Throttled {
        after: Option<Duration>,
    },
    /// The carrier certainly did nothing. A later attempt may succeed.
    Unavailable,
    /// The carrier refuses our account, contract or request. A retry does not help until an operator has corrected the
    /// cause.
    Misconfigured,
    /// The carrier may have done the operation: the request was sent, but no answer or an unreadable one came.
    Ambiguous,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fact:?}: {detail}")]
pub struct CarrierFault {
    pub fact: CarrierFact,
    /// The carrier's code and fixed words, for operators. Never personal data.
    pub detail: String,
}

impl CarrierFault {
    pub fn new(fact: CarrierFact, detail: impl Into<String>) -> Self {
        Self { fact, detail: detail.into() }
    }
}

/// The result of [`Carrier::recover`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// The order exists. The parcel continues with this order.
    Found(Booking),
    /// No such order exists now, but a delayed request can still create it. The worker uses the same order number again
    /// only if `recover` returned this result twice, some time apart.
    Absent,
    /// If the order existed, it is now cancelled. The parcel must be ordered again with the next order number.
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The media type: `application/pdf`, `image/png` or `image/jpeg`.
    pub content_type: String,
    pub bytes: Private<Vec<u8>>,
}

impl Label {
    /// Creates a label from a file; `None` unless the file is a PDF or an image.
    fn of(bytes: Vec<u8>) -> Option<Self> {
        let kind = infer::get(&bytes)?.mime_type();
        let printable = matches!(kind, "application/pdf" | "image/png" | "image/jpeg");
        printable.then(|| Self { content_type: kind.to_owned(), bytes: Private::new(bytes) })
    }
}

impl From<CarrierFault> for Probe {
    fn from(fault: CarrierFault) -> Self {
        match fault.fact {
            CarrierFact::Throttled { .. } => Self::Throttled,
            CarrierFact::Misconfigured => Self::Refused(fault.detail),
            CarrierFact::Unavailable | CarrierFact::Ambiguous => Self::Silent(fault.detail),
            // The carrier refuses the made-up parcel of the probe, so it has accepted our account.
            CarrierFact::Absent | CarrierFact::Duplicate | CarrierFact::AddressRefused | CarrierFact::WrongState => {
                Self::Well
            }
        }
    }
}

#[async_trait]
pub trait Carrier: Send + Sync {
    fn code(&self) -> &CarrierCode;

    fn pace(&self) -> Pace;

    /// The time-out of one call to the carrier. `SONGDA_ATTEMPT_TIMEOUT`, the time-out of one attempt at a job, is long
    /// enough for three calls.
    fn time_limit(&self) -> Duration;

    /// Orders a parcel. After [`CarrierFact::Ambiguous`] or [`CarrierFact::Duplicate`] the worker must call
    /// [`Self::recover`] before it orders again.
    async fn order(&self, order: &ParcelOrder) -> Result<Booking, CarrierFault>;

    /// Finds out whether an order exists, after a call of [`Self::order`] whose outcome is unknown. How this can be
    /// done safely differs from carrier to carrier.
    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault>;

    /// Queries the waybill of an order that the carrier accepted without a waybill. Returns `None` if the order has no
    /// waybill yet, or if the carrier offers no such query.
    async fn waybill(&self, _order_no: &OrderNo) -> Result<Option<Waybill>, CarrierFault> {
        Ok(None)
    }

    /// Queries all scans of a parcel, in any order. Some carriers ask for the last digits of `recipient_phone`.
    async fn track(&self, waybill: &Waybill, recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault>;

    /// Cancels an order. The fault [`CarrierFact::Absent`] means that the order does not exist.
    async fn cancel(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierFault>;

    async fn label(&self, waybill: &Waybill) -> Result<Label, CarrierFault>;

    /// Checks that the carrier answers and accepts our account, without ordering or changing anything.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }

    /// The callers that may call back in the carrier's name; `None` if the carrier does not call back.
    fn callback_access(&self) -> Option<&CallbackAccess> {
        None
    }

    /// True if a callback proves that the carrier sent it: then [`Self::read`] returns [`CallbackFault::NotAuthentic`]
    /// for any other. If this is false, a callback is only a hint: Songda stores nothing of it, and asks the carrier.
    fn signs_callbacks(&self) -> bool {
        false
    }

    /// Verifies a callback as far as possible, and returns its scans. The worker confirms the end of a delivery with
    /// [`Self::track`], even if the callback is authentic.
    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault>;

    /// Returns the answer to a callback. `taken` is true if Songda has stored or used the callback. Otherwise the answer
    /// makes the carrier repeat the callback.
    fn acknowledge(&self, call: &RawCallback, taken: bool) -> Acknowledgement;
}

/// A carrier's entry in `registry.rs`.
#[derive(Clone, Copy)]
pub struct CarrierAdapter {
    /// The carrier's name in settings, data and paths: small letters and digits.
    pub code: &'static str,
    /// Reads the carrier's settings and builds its client; `None` if the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn Carrier>>,
}

/// The carriers that this installation uses. Each item of the catalogue names the carriers that may deliver its result.
#[derive(Clone, Default)]
pub struct Carriers(Vec<Arc<dyn Carrier>>);

impl Carriers {
    /// Builds the carriers that `SONGDA_CARRIERS` names. The settings of other carriers are not read.
    pub fn read(env: &mut Env, adapters: &[CarrierAdapter], clock: &Clock) -> Self {
        let meaning = "carriers of this installation, separated by commas; each item names those that may carry its result, in order of preference";
        let names: String = env.or("SONGDA_CARRIERS", "ems,sf", meaning).unwrap_or_default();
        let mut carriers = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match adapters.iter().find(|adapter| adapter.code == name) {
                Some(adapter) => carriers.extend((adapter.build)(env, clock)),
                None => env.fault(format!("SONGDA_CARRIERS names {name}, which is not a known carrier")),
            }
        }
        Self(carriers)
    }

    pub fn get(&self, code: &CarrierCode) -> Option<&Arc<dyn Carrier>> {
        self.0.iter().find(|carrier| carrier.code() == code)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Carrier>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTERS: [CarrierAdapter; 2] = [ems::ADAPTER, sf::ADAPTER];

    fn env(carriers: &str) -> Env {
        Env::of([
            ("SONGDA_CARRIERS", carriers),
            ("SONGDA_EMS_SENDER_NO", "1100000000000"),
            ("SONGDA_EMS_AUTHORIZATION", "issued"),
            ("SONGDA_EMS_KEY", "R292VGVzdFNtNEtleTAxNg=="),
            ("SONGDA_EMS_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef"),
            ("SONGDA_SF_CALLBACK_SECRET", "fedcba9876543210fedcba9876543210"),
            ("SONGDA_SF_PARTNER_ID", "GOV"),
            ("SONGDA_SF_CHECK_WORD", "abc123"),
            ("SONGDA_SF_MONTHLY_CARD", "7551234567"),
        ])
    }

    fn names(carriers: &Carriers) -> Vec<&str> {
        carriers.iter().map(|carrier| carrier.code().as_str()).collect()
    }

    #[test]
    fn the_setting_names_the_carriers() {
        for (setting, order) in [("", vec!["ems", "sf"]), ("sf, ems", vec!["sf", "ems"]), ("sf", vec!["sf"])] {
            let mut env = env(setting);
            assert_eq!(names(&Carriers::read(&mut env, &ADAPTERS, &Clock::system())), order);
            assert!(env.faults().is_empty(), "{:?}", env.faults());
        }
    }

    #[test]
    fn each_carrier_has_its_rate() {
        let carriers = Carriers::read(&mut env("ems,sf"), &ADAPTERS, &Clock::system());
        let rates: Vec<u32> = carriers.iter().map(|carrier| carrier.pace().per_second).collect();
        assert_eq!(rates, [5, 30]);
    }

    #[test]
    fn every_fault_of_every_carrier_is_reported_at_once() {
        let mut env = Env::of([("SONGDA_CARRIERS", "ems,sf,owl")]);
        assert_eq!(Carriers::read(&mut env, &ADAPTERS, &Clock::system()).iter().count(), 0);
        assert_eq!(env.faults().len(), 9, "four of each, and the owl: {:?}", env.faults());
    }

    #[test]
    fn a_label_is_recognised_by_its_content() {
        assert_eq!(Label::of(b"%PDF-1.4 ...".to_vec()).unwrap().content_type, "application/pdf");
        assert_eq!(Label::of(b"<html>busy</html>".to_vec()), None);
        assert_eq!(Label::of(Vec::new()), None);
    }
}
