//! What becomes known about a parcel, and what follows: its state, what the resident is told, and the next job.

use std::time::Duration;

use serde_json::json;

use crate::casework::Casework;
use crate::casework::frame::item_of_case::item_of;
use crate::domain::case::{Actor, Case};
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, Parcel, ParcelState, Scan, Waybill};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ParcelId;
use crate::domain::notice::notification::Event;
use crate::domain::work::job::{Job, Work};
use crate::store::cases::{self, Owner};
use crate::store::parcels::{self, ScanSource, StoredParcel, StoredScan};
use crate::store::record::{ChangeKind, Record};
use crate::store::{StoreError, Tx, jobs, notifications, reach};

/// Something that became known about a parcel.
#[derive(Debug, Clone)]
pub struct ParcelEffect {
    pub parcel: ParcelId,
    pub change: ParcelChange,
}

/// What became known.
#[derive(Debug, Clone)]
pub enum ParcelChange {
    /// The carrier has the order.
    Ordered {
        /// Its number, once it gave one.
        waybill: Option<Waybill>,
    },
    /// An order of unknown outcome is withdrawn: the next one needs a new number.
    Withdrawn,
    /// The carrier refuses the recipient's address.
    AddressRefused,
    /// The order is cancelled, as we asked.
    Cancelled,
    /// The carrier told of its way.
    Scanned(Trail),
}

/// What a carrier told of a parcel's way.
#[derive(Debug, Clone)]
pub struct Trail {
    /// Its number there, where that is news.
    pub waybill: Option<Waybill>,
    pub scans: Vec<Scan>,
    /// How we know.
    pub source: ScanSource,
}

/// How soon after an order its way is asked for the first time.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(30 * 60);

/// How soon a carrier is asked again that called of an end and, when asked, did not know of it.
const CONFIRM_AGAIN_AFTER: Duration = Duration::from_secs(5 * 60);

impl Casework {
    /// Reads a parcel for a job.
    pub async fn parcel(&self, id: ParcelId) -> Result<Option<StoredParcel>, StoreError> {
        parcels::find(&mut *self.store().connection().await?, self.store().keys(), id).await
    }

    /// The parcel that a carrier speaks of.
    pub async fn parcel_known_as(
        &self,
        carrier: &CarrierCode,
        order_no: Option<&OrderNo>,
        waybill: &Waybill,
    ) -> Result<Option<ParcelId>, StoreError> {
        parcels::known_as(&mut *self.store().connection().await?, carrier, order_no, waybill).await
    }

    /// Writes what became known, and adds to the record what the resident must be told. `trace` is the `traceparent` that
    /// it all follows from.
    pub(super) async fn apply_parcel(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        effect: &ParcelEffect,
        trace: Option<&str>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let found = parcels::find_for_change(tx, self.store().keys(), effect.parcel).await?;
        let mut parcel = found.ok_or_else(|| StoreError::Broken(format!("{} is not there", effect.parcel)))?.parcel;
        let before = (parcel.state, parcel.waybill.clone());
        self.change_parcel(tx, record, &mut parcel, &effect.change, trace, now).await?;
        let parcel = &parcel;
        parcels::update(tx, parcel, now).await?;
        if before != (parcel.state, parcel.waybill.clone()) {
            record.change(parcel.person, ChangeKind::Parcel, parcel.id);
        }
        if before.0 != parcel.state {
            self.tell(tx, record, parcel, trace, now).await?;
        }
        Ok(())
    }

    async fn change_parcel(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        parcel: &mut Parcel,
        change: &ParcelChange,
        trace: Option<&str>,
        now: Instant,
    ) -> Result<(), StoreError> {
        match change {
            ParcelChange::Ordered { waybill } => {
                // What can be no number is told again, by a call or when asked.
                let told = waybill.clone().filter(Waybill::is_sound);
                parcel.waybill = told.or(parcel.waybill.take());
                if parcel.state == ParcelState::Pending {
                    parcel.state = ParcelState::Ordered;
                }
                record.enqueue(&Job::after(track(parcel), FIRST_LOOK_AFTER), trace)?;
            }
            ParcelChange::Withdrawn => {
                parcel.round += 1;
                parcel.order_no = OrderNo::mint(parcel.id, parcel.round);
            }
            ParcelChange::AddressRefused => parcel.state = ParcelState::AddressRefused,
            ParcelChange::Cancelled => parcel.state = ParcelState::Cancelled,
            ParcelChange::Scanned(trail) => {
                if parcel.state == ParcelState::Pending {
                    // Its call overtook its answer to our order, which nobody waits for any more.
                    record.enqueue(&Job::after(track(parcel), FIRST_LOOK_AFTER), trace)?;
                }
                self.scan(tx, record, parcel, trail, now).await?;
            }
        }
        Ok(())
    }

    /// Adds scans and folds the whole way anew. An end that is only a hint is asked for instead of believed; and where
    /// the waybill is news, the carrier can be asked at last.
    async fn scan(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        parcel: &mut Parcel,
        trail: &Trail,
        now: Instant,
    ) -> Result<(), StoreError> {
        let keys = self.store().keys();
        let nameless = parcel.waybill.is_none();
        if nameless {
            let named = trail.scans.first().map(|scan| &scan.waybill);
            parcel.waybill = trail.waybill.as_ref().or(named).cloned();
        }
        parcels::add_scans(tx, keys, parcel.id, &trail.scans, trail.source, now).await?;
        let way = parcels::scans(tx, keys, parcel.id).await?;
        let hinted_end = |step: &&StoredScan| !step.is_fact && step.scan.meaning.ends_the_way();
        let named_now = nameless && parcel.waybill.is_some();
        if named_now || way.iter().any(|step| hinted_end(&step)) {
            confirm(tx, record, parcel, trail.source).await?;
        }
        let believed = way.iter().filter(|step| !hinted_end(step)).map(|step| &step.scan);
        let cancelled_by_us = parcel.state == ParcelState::Cancelled;
        let state = ParcelState::after(true, believed);
        if !(cancelled_by_us && state == ParcelState::Ordered) {
            parcel.state = state;
        }
        Ok(())
    }

    /// Tells the resident what the new state means to them, once, and remembers it in the case's history.
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        parcel: &Parcel,
        trace: Option<&str>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let cause = json!({"parcel": parcel.id, "state": parcel.state, "waybill": parcel.waybill});
        let carrier = Actor::Carrier(parcel.carrier.clone());
        record.remember(parcel.case, &carrier, "parcel_moved", cause, now);
        let Some(event) = event_of(parcel.state) else { return Ok(()) };
        if record.has_parcel_event(parcel.id, event)
            || notifications::has_parcel_event(tx, parcel.case, parcel.id, event).await?
        {
            return Ok(());
        }
        let case = self.case_of(tx, parcel).await?;
        let reach = reach::of(tx, &[parcel.person]).await?.remove(&parcel.person).unwrap_or_default();
        let catalog = self.catalog().current();
        let item = item_of(tx, &catalog, &case).await?;
        self.notify(record, (&case, &item), (event, Some(parcel.id)), &reach, trace, now)
    }

    async fn case_of(&self, tx: &mut Tx<'_>, parcel: &Parcel) -> Result<Case, StoreError> {
        let found = cases::find(tx, self.store().keys(), parcel.case, Owner::Applicant(parcel.person)).await?;
        found.map(|found| found.case).ok_or_else(|| StoreError::Broken(format!("{} is not there", parcel.case)))
    }
}

/// Has the carrier asked for what it hinted at: at once when it just called, even if it was asked for the last time
/// before; after a while when it was just asked and did not know of its own call yet. The look-up may have been promised
/// before, or a moment ago: one call can tell of the whole way, and be the first that is heard of the parcel.
async fn confirm(tx: &mut Tx<'_>, record: &mut Record, parcel: &Parcel, source: ScanSource) -> Result<(), StoreError> {
    let key = track(parcel).key();
    let within = match source {
        ScanSource::Callback => {
            jobs::revive(tx, &key).await?;
            Duration::ZERO
        }
        ScanSource::Query => CONFIRM_AGAIN_AFTER,
    };
    record.hasten(&key, within);
    jobs::hasten(tx, &key, within).await
}

/// The look-up of a parcel's way.
fn track(parcel: &Parcel) -> Work {
    Work::TrackParcel { parcel: parcel.id, carrier: parcel.carrier.clone() }
}

/// What a resident is told when a parcel comes into a state.
const fn event_of(state: ParcelState) -> Option<Event> {
    match state {
        ParcelState::PickedUp => Some(Event::ParcelPickedUp),
        ParcelState::OutForDelivery => Some(Event::ParcelOutForDelivery),
        ParcelState::ReadyForPickup => Some(Event::ParcelReadyForPickup),
        ParcelState::Delivered => Some(Event::ParcelDelivered),
        ParcelState::Returned => Some(Event::ParcelReturned),
        ParcelState::AddressRefused => Some(Event::ParcelAddressRefused),
        ParcelState::Cancelled => Some(Event::ParcelCancelled),
        ParcelState::Pending
        | ParcelState::Ordered
        | ParcelState::InTransit
        | ParcelState::Exception
        | ParcelState::Returning => None,
    }
}
