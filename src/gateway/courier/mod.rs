//! Carriers (承运商): courier companies that take a parcel to a door. One folder each; `registry.rs` names them all.

pub mod ems;
pub mod sf;

mod beijing_time;
mod lenient;
mod office;
mod refusal;
#[cfg(test)]
mod sample;
mod way_back;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::office::office;
pub use crate::gateway::shared::callback::{Acknowledgement, CallbackFault, RawCallback};
use crate::gateway::shared::probe::Probe;

use crate::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, Scan, Waybill};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::env::Env;

/// What a carrier is told that a parcel holds. Never the item: it may say too much about the recipient.
const CARGO_NAME: &str = "文件";

/// What a carrier is told that a parcel weighs: a few sheets in a document envelope. It weighs again itself.
const CARGO_GRAMS: u32 = 300;

/// The carrier has the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its number for the parcel; `None` while the carrier still checks the order by hand, or does not say it.
    pub waybill: Option<Waybill>,
}

/// Why a carrier did not do as asked. A fact, not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierFact {
    /// It has an order under this number already.
    Duplicate,
    /// It will not deliver there, or to them: a person must mend the recipient's data.
    AddressRefused,
    /// Not possible in the parcel's present state (a cancellation after pick-up).
    WrongState,
    /// It knows no order under this number.
    Absent,
    /// Too fast. Not before this long.
    Throttled {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// It surely did nothing, and may later.
    Unavailable,
    /// Nothing will change until somebody mends our account, contract or request.
    Misconfigured,
    /// It may have done it: the request left and no answer, or no sensible one, came.
    Ambiguous,
}

/// A fact with the carrier's own words (codes, never personal data).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fact:?}: {detail}")]
pub struct CarrierFault {
    /// What is the case.
    pub fact: CarrierFact,
    /// The carrier's code and words, for people.
    pub detail: String,
}

impl CarrierFault {
    /// A fact and its detail.
    pub fn new(fact: CarrierFact, detail: impl Into<String>) -> Self {
        Self { fact, detail: detail.into() }
    }
}

/// How an order of unknown outcome was cleared up. Each carrier has one safe way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// The order exists: adopt it.
    Found(Booking),
    /// No such order exists now. One that is still on its way may yet arrive, so it takes two of these, a while
    /// apart, before the same number may be ordered again.
    Absent,
    /// An order may have existed and is cancelled now: the next order needs the next number.
    Withdrawn,
}

/// A printable label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// `application/pdf`, `image/png`, …
    pub content_type: String,
    /// The file. It shows a name, an address and a phone.
    pub bytes: Private<Vec<u8>>,
}

impl Label {
    /// A file, if it is of a kind that can be printed. Its content says so, not its name.
    fn of(bytes: Vec<u8>) -> Option<Self> {
        let kind = infer::get(&bytes)?.mime_type();
        let printable = matches!(kind, "application/pdf" | "image/png" | "image/jpeg");
        printable.then(|| Self { content_type: kind.to_owned(), bytes: Private::new(bytes) })
    }
}

/// A courier company.
#[async_trait]
pub trait Carrier: Send + Sync {
    fn code(&self) -> &CarrierCode;

    /// How fast it may be called.
    fn pace(&self) -> Pace;

    /// How long one call may take at the most. An attempt has time for three.
    fn time_limit(&self) -> Duration;

    /// Orders a parcel. After [`CarrierFact::Ambiguous`] or [`CarrierFact::Duplicate`] only [`Carrier::recover`]
    /// may tell whether it may be called again.
    async fn order(&self, order: &ParcelOrder) -> Result<Booking, CarrierFault>;

    /// Clears up an order of unknown outcome.
    async fn recover(&self, order_no: &OrderNo) -> Result<Recovery, CarrierFault>;

    /// The waybill of an order that exists without one, as soon as there is one and the carrier can be asked for it.
    async fn waybill(&self, _order_no: &OrderNo) -> Result<Option<Waybill>, CarrierFault> {
        Ok(None)
    }

    /// All that is known of a parcel's way, in no order. `recipient_phone` is for carriers that ask for its end.
    async fn track(&self, waybill: &Waybill, recipient_phone: &Private<String>) -> Result<Vec<Scan>, CarrierFault>;

    /// Cancels an order. [`CarrierFact::Absent`] means that there was none.
    async fn cancel(&self, order_no: &OrderNo, waybill: Option<&Waybill>) -> Result<(), CarrierFault>;

    /// The label to print.
    async fn label(&self, waybill: &Waybill) -> Result<Label, CarrierFault>;

    /// Asks whether the carrier answers and takes our account for good, without ordering or changing anything.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }

    /// Reads a call: checks what can be checked, and returns the scans in it. Says nothing about whether they are
    /// true; ends are confirmed by [`Carrier::track`].
    fn read(&self, call: &RawCallback) -> Result<Vec<Scan>, CallbackFault>;

    /// The answer that tells the carrier that the call is safely stored (`true`), or to call again (`false`).
    fn acknowledge(&self, call: &RawCallback, stored: bool) -> Acknowledgement;
}

/// What makes a carrier of an installation's settings: `registry.rs` lists one for each.
#[derive(Clone, Copy)]
pub struct Adapter {
    /// Its name in settings, data and paths: small letters and digits.
    pub code: &'static str,
    /// Reads its settings and builds its client. `None` where faults were left with the reader.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn Carrier>>,
}

/// The carriers that this installation uses. Which of them carries a result is for its item to say.
#[derive(Clone, Default)]
pub struct Carriers(Vec<Arc<dyn Carrier>>);

impl Carriers {
    /// Builds those that `SONGDA_CARRIERS` names. The settings of the others are not asked for.
    pub fn read(env: &mut Env, adapters: &[Adapter], clock: &Clock) -> Self {
        let meaning = "carriers of this installation, separated by commas; each item names who may carry its result, and whom first";
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

    /// The carrier of a name.
    #[must_use]
    pub fn get(&self, code: &CarrierCode) -> Option<&Arc<dyn Carrier>> {
        self.0.iter().find(|carrier| carrier.code() == code)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Carrier>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTERS: [Adapter; 2] = [ems::ADAPTER, sf::ADAPTER];

    fn env(carriers: &str) -> Env {
        Env::of([
            ("SONGDA_CARRIERS", carriers),
            ("SONGDA_EMS_SENDER_NO", "1100000000000"),
            ("SONGDA_EMS_AUTHORIZATION", "issued"),
            ("SONGDA_EMS_KEY", "R292VGVzdFNtNEtleTAxNg=="),
            ("SONGDA_SF_PARTNER_ID", "GOV"),
            ("SONGDA_SF_CHECK_WORD", "abc123"),
            ("SONGDA_SF_MONTHLY_CARD", "7551234567"),
        ])
    }

    fn names(carriers: &Carriers) -> Vec<&str> {
        carriers.iter().map(|carrier| carrier.code().as_str()).collect()
    }

    #[test]
    fn the_setting_names_who_is_there() {
        for (setting, order) in [("", vec!["ems", "sf"]), ("sf, ems", vec!["sf", "ems"]), ("sf", vec!["sf"])] {
            let mut env = env(setting);
            assert_eq!(names(&Carriers::read(&mut env, &ADAPTERS, &Clock::system())), order);
            assert!(env.faults().is_empty(), "{:?}", env.faults());
        }
    }

    #[test]
    fn each_carrier_says_how_much_it_takes() {
        let carriers = Carriers::read(&mut env("ems,sf"), &ADAPTERS, &Clock::system());
        let rates: Vec<u32> = carriers.iter().map(|carrier| carrier.pace().per_second).collect();
        assert_eq!(rates, [5, 30]);
    }

    #[test]
    fn every_fault_of_every_carrier_is_said_at_once() {
        let mut env = Env::of([("SONGDA_CARRIERS", "ems,sf,owl")]);
        assert_eq!(Carriers::read(&mut env, &ADAPTERS, &Clock::system()).iter().count(), 0);
        assert_eq!(env.faults().len(), 7, "three of each, and the owl: {:?}", env.faults());
    }

    #[test]
    fn a_label_is_known_by_its_content() {
        assert_eq!(Label::of(b"%PDF-1.4 ...".to_vec()).unwrap().content_type, "application/pdf");
        assert_eq!(Label::of(b"<html>busy</html>".to_vec()), None);
        assert_eq!(Label::of(Vec::new()), None);
    }
}
