//! Applies a carrier's reports on a parcel: the parcel's new state, the resident's notification, and the next job.

use std::time::Duration;

use serde_json::json;

use crate::casework::frame::apply::{CaseOfItem, EventMessage};
use crate::casework::frame::item_of_case::item_of;
use crate::casework::jobs::{Jobs, ParcelChange, ParcelEffect, ParcelNews, missing};
use crate::domain::case::act::Act;
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, Parcel, ParcelState, Waybill};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ParcelId;
use crate::domain::notice::notification::Event;
use crate::domain::people::acting::{Acting, Actor};
use crate::domain::work::job::{Job, Work};
use crate::store::cases::{self, Owner};
use crate::store::parcels::{self, ScanSource, StoredParcel, StoredScan};
use crate::store::record::{ChangeKind, Record};
use crate::store::{StoreError, Tx, jobs, notifications, reach};

/// The time from an order until the carrier is first asked for the parcel's scans.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(30 * 60);

/// The wait before the carrier is asked again, if its callback reported a final state that its answer did not confirm.
const CONFIRM_AGAIN_AFTER: Duration = Duration::from_secs(5 * 60);

impl Jobs<'_> {
    pub async fn parcel(self, id: ParcelId) -> Result<StoredParcel, StoreError> {
        let found = parcels::find(&mut *self.0.store().connection().await?, self.0.store().keys(), id).await?;
        found.ok_or_else(|| missing(id))
    }

    /// Finds a parcel of this carrier by our order number or by the waybill.
    pub async fn parcel_known_as(
        self,
        carrier: &CarrierCode,
        order_no: Option<&OrderNo>,
        waybill: &Waybill,
    ) -> Result<Option<ParcelId>, StoreError> {
        parcels::known_as(&mut *self.0.store().connection().await?, carrier, order_no, waybill).await
    }

    /// Applies a change of a parcel, and adds the resident's notification. `trace` is the `traceparent` of the request
    /// or callback that caused the settled job.
    pub(super) async fn apply_parcel(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        effect: &ParcelEffect,
        trace: Option<&str>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let found = parcels::find_for_change(tx, self.0.store().keys(), effect.parcel).await?;
        let StoredParcel { mut parcel, agency, hinted_look_in, .. } = found.ok_or_else(|| missing(effect.parcel))?;
        let state = parcel.state;
        let waybill = parcel.waybill.clone();
        match &effect.change {
            ParcelChange::Ordered { waybill } => {
                parcel.mark_ordered(waybill.as_ref());
                // A hint that came before the order was settled is followed now.
                let first_look = hinted_look_in.unwrap_or(FIRST_LOOK_AFTER);
                record.enqueue(&Job::after(track(&parcel), first_look), trace)?;
            }
            ParcelChange::Withdrawn => parcel.mark_withdrawn(),
            ParcelChange::AddressRefused => parcel.state = ParcelState::AddressRefused,
            ParcelChange::Cancelled => parcel.state = ParcelState::Cancelled,
            ParcelChange::Scanned(news) => {
                self.scan(tx, record, &mut parcel, news, hinted_look_in, now).await?;
            }
        }
        parcels::update(tx, &parcel, now).await?;
        if state != parcel.state || waybill != parcel.waybill {
            record.change(parcel.person, ChangeKind::Parcel, parcel.id);
        }
        if state != parcel.state {
            self.tell(tx, record, &parcel, agency, trace, now).await?;
        }
        Ok(())
    }

    /// Adds scans, and derives the parcel's state from all its scans. If only a callback reported a final state, that
    /// state does not count until the carrier confirms it, so the carrier is asked. The carrier is also asked when the
    /// waybill becomes known.
    ///
    /// A parcel whose order is not settled stays as it is: only the job that orders it may say that the carrier has the
    /// order. Otherwise a callback could end that job, and the result would never be sent. Of a callback that is ahead of
    /// its order, the waybill is kept, because EMS reports it in no other way.
    async fn scan(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        parcel: &mut Parcel,
        news: &ParcelNews,
        hinted_look_in: Option<Duration>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let keys = self.0.store().keys();
        let nameless = parcel.waybill.is_none();
        if nameless {
            let named = news.scans.first().map(|scan| &scan.waybill);
            parcel.waybill = news.waybill.as_ref().or(named).cloned();
        }
        let added = parcels::add_scans(tx, keys, parcel.id, &news.scans, news.source, now).await?;
        if parcel.state == ParcelState::Pending {
            return self.plan_looks(tx, &parcel.carrier, &[parcel.id]).await;
        }
        if news.source == ScanSource::Query
            && let Some(wait) = hinted_look_in
        {
            follow_hint(tx, parcel, wait, added).await?;
        }
        let way = parcels::scans(tx, keys, parcel.id).await?;
        let hinted_end = |step: &&StoredScan| !step.is_fact && step.scan.meaning.ends_the_way();
        let named_now = nameless && parcel.waybill.is_some();
        if named_now || way.iter().any(|step| hinted_end(&step)) {
            confirm(tx, record, parcel, news.source).await?;
        }
        let believed = way.iter().filter(|step| !hinted_end(step)).map(|step| &step.scan);
        let cancelled_by_us = parcel.state == ParcelState::Cancelled;
        let state = ParcelState::after(true, believed);
        if !(cancelled_by_us && state == ParcelState::Ordered) {
            parcel.state = state;
        }
        Ok(())
    }

    /// Adds the new state to the case's history, and notifies the resident, at most once for each event.
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        parcel: &Parcel,
        agency: AgencyCode,
        trace: Option<&str>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let cause = json!({"parcel": parcel.id, "state": parcel.state, "waybill": parcel.waybill});
        let acting = Acting { by: Actor::Carrier(parcel.carrier.clone()), for_: agency.into() };
        record.remember(parcel.case, &acting, Act::ParcelMoved, cause, now);
        let Some(event) = event_of(parcel.state) else { return Ok(()) };
        if record.has_parcel_event(parcel.id, event)
            || notifications::has_parcel_event(tx, parcel.case, parcel.id, event).await?
        {
            return Ok(());
        }
        let case = cases::find(tx, self.0.store().keys(), parcel.case, Owner::Applicant(parcel.person)).await?;
        let case = case.ok_or_else(|| missing(parcel.case))?.case;
        let reach = reach::of(tx, &[parcel.person]).await?.remove(&parcel.person).unwrap_or_default();
        let catalog = self.0.catalog().current();
        let item = item_of(tx, &catalog, &case).await?;
        let of = CaseOfItem { case: &case, item: &item };
        let news = EventMessage { event, parcel: Some(parcel.id), reach: &reach, trace };
        self.0.notify(record, of, &news, now)
    }
}

/// Hastens the job that asks the carrier about a parcel. After a callback the job is due at once, even if it was done
/// before. If the carrier was just asked and did not confirm its own callback, the job is due after
/// [`CONFIRM_AGAIN_AFTER`]. Usually the job is in the database. If the same transaction settles the order, it has just
/// added the job, which is still in `record`.
async fn confirm(tx: &mut Tx<'_>, record: &mut Record, parcel: &Parcel, source: ScanSource) -> Result<(), StoreError> {
    let key = track(parcel).key();
    let within = match source {
        ScanSource::Callback => {
            jobs::revive(tx, &key, Duration::ZERO).await?;
            Duration::ZERO
        }
        ScanSource::Query => CONFIRM_AGAIN_AFTER,
    };
    record.hasten(&key, within);
    jobs::hasten(tx, &key, within).await
}

/// Decides what follows from a look that a hint caused. If another look is planned, because a further hint came, the
/// carrier is asked then. Otherwise, if the carrier reported nothing new (its answers may lag behind its callbacks), it is
/// asked once more. `wait` is the time until the planned look, and `added` the number of new scans.
async fn follow_hint(tx: &mut Tx<'_>, parcel: &Parcel, wait: Duration, added: u64) -> Result<(), StoreError> {
    let key = track(parcel).key();
    if !wait.is_zero() {
        return jobs::hasten(tx, &key, wait).await;
    }
    parcels::close_look(tx, parcel.id).await?;
    if added == 0 { jobs::hasten(tx, &key, CONFIRM_AGAIN_AFTER).await } else { Ok(()) }
}

/// Returns the job that asks the carrier about a parcel.
fn track(parcel: &Parcel) -> Work {
    Work::TrackParcel { parcel: parcel.id, carrier: parcel.carrier.clone() }
}

/// Returns the event of which a resident is notified when a parcel reaches a state.
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
