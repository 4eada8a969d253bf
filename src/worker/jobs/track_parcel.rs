//! Asks a carrier for the scans of a parcel, every few hours until the parcel reaches a final state. The carrier's
//! callbacks report scans earlier, but a final state counts only if the carrier confirms it when this job asks.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect, ParcelNews};
use crate::domain::delivery::parcel::{OrderNo, Parcel, ParcelState, Waybill};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::{Carrier, CarrierFact, CarrierFault};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::attempts::{Attempt, Conclusion, Contact, no_carrier, on_carrier_fault};
use crate::worker::settings::WorkerSettings;
use crate::worker::settings::retry::LONGEST_WAY;
use crate::worker::workshop::Workshop;

pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let parcel = workshop.casework.jobs().parcel(id).await?.parcel;
    let settings = &workshop.settings;
    if job.age() > LONGEST_WAY {
        let ending = Ending::dead(job, Outcome::NeverArrived, "no end after sixty days".to_owned());
        return Ok(Conclusion::plain(ending, Contact::None));
    }
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else { return Ok(no_carrier(job, &parcel.carrier)) };
    let cancelled = parcel.state == ParcelState::Cancelled;
    Ok(match look(workshop, carrier.as_ref(), &parcel).await {
        // The parcel is cancelled, and the carrier has no waybill for it. So there is nothing to track, and the job
        // ends.
        Ok(None) if cancelled => off_the_way(job, String::new()),
        Err(CarrierFault { fact: CarrierFact::Absent | CarrierFact::WrongState, detail }) if cancelled => {
            off_the_way(job, detail)
        }
        Ok(None) => without_waybill(job, settings, &parcel.order_no),
        Ok(Some(trail)) => {
            let state = ParcelState::after(true, &trail.scans);
            let count = format!("{} scans", trail.scans.len());
            let ending = if state.is_final() || cancelled && state == ParcelState::Ordered {
                Ending::done(job, Outcome::Ended, count, None)
            } else {
                Ending::snooze(job, settings.retry.track_every, count)
            };
            let effect = ParcelEffect { parcel: id, change: ParcelChange::Scanned(trail) };
            Conclusion::with(ending, Effect::Parcel(effect), Contact::Answered)
        }
        Err(fault) => on_carrier_fault(attempt, id, false, fault),
    })
}

/// Ends the job of a parcel that was cancelled.
fn off_the_way(job: &Claimed, detail: String) -> Conclusion {
    Conclusion::plain(Ending::done(job, Outcome::Cancelled, detail, None), Contact::Answered)
}

/// Asks the carrier for the scans of a parcel. If Songda does not know the waybill, asks for the waybill first, and
/// returns `None` if the carrier has none yet.
async fn look(workshop: &Workshop, carrier: &dyn Carrier, parcel: &Parcel) -> Result<Option<ParcelNews>, CarrierFault> {
    let waybill = match &parcel.waybill {
        Some(waybill) => Some(waybill.clone()),
        None => carrier.waybill(&parcel.order_no).await?.filter(Waybill::is_sound),
    };
    let Some(waybill) = waybill else { return Ok(None) };
    let mut scans = carrier.track(&waybill, &parcel.recipient.phone).await?;
    let now = workshop.casework.now();
    scans.retain(|scan| scan.is_sound(now));
    Ok(Some(ParcelNews { waybill: Some(waybill), scans, source: ScanSource::Query }))
}

/// Concludes an attempt if the carrier has the order but no waybill yet. This happens if SF checks an order by hand. It
/// also happens if an order to EMS had an unknown outcome: Songda tries to withdraw such an order, but EMS may have
/// collected the parcel already. The job asks again later. If the job is older than `waybill_within`, it becomes a dead
/// letter, and an operator must ask the carrier. A callback that brings the waybill revives the job.
fn without_waybill(job: &Claimed, settings: &WorkerSettings, order_no: &OrderNo) -> Conclusion {
    let ending = if job.age() > settings.time_outs.waybill_within {
        let why = format!("ask the carrier for the waybill of order {}: it did not report it", order_no.as_str());
        Ending::dead(job, Outcome::NoWaybill, why)
    } else {
        Ending::snooze(job, settings.retry.track_every, "the carrier has not reported the waybill yet".to_owned())
    };
    Conclusion::plain(ending, Contact::None)
}
