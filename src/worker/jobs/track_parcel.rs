//! Asks a carrier how a parcel is doing: the second path beside its own calls, and the proof of an end. The job stays
//! until the way has ended.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect, ParcelNews};
use crate::domain::delivery::parcel::{OrderNo, Parcel, ParcelState, Waybill};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::{Carrier, CarrierFact, CarrierFault};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::pool::attempt::Attempt;
use crate::worker::pool::verdict::{Conclusion, Contact, no_carrier, on_carrier_fault};
use crate::worker::settings::retry_policy::LONGEST_WAY;
use crate::worker::{WorkerSettings, Workshop};

/// Asks, and comes back later unless the way has ended.
pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let found = workshop.casework.jobs().parcel(id).await?;
    let parcel = found.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?.parcel;
    let settings = &workshop.settings;
    if job.age() > LONGEST_WAY {
        return Ok(Conclusion::plain(
            Ending::dead(job, Outcome::NeverArrived, "no end after sixty days".to_owned()),
            Contact::None,
        ));
    }
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else { return Ok(no_carrier(job, &parcel.carrier)) };
    let cancelled = parcel.state == ParcelState::Cancelled;
    Ok(match look(workshop, carrier.as_ref(), &parcel).await {
        // We cancelled it, and the carrier does not carry it: there is no way to follow.
        Ok(None) if cancelled => off_the_way(job, String::new()),
        Err(CarrierFault { fact: CarrierFact::Absent | CarrierFact::WrongState, detail }) if cancelled => {
            off_the_way(job, detail)
        }
        Ok(None) => without_waybill(job, settings, &parcel.order_no),
        Ok(Some(trail)) => {
            let state = ParcelState::after(true, &trail.scans);
            let told = format!("{} scans", trail.scans.len());
            let ending = if state.is_final() || cancelled && state == ParcelState::Ordered {
                Ending::done(job, Outcome::Ended, told, None)
            } else {
                Ending::snooze(job, settings.track_every, told)
            };
            let effect = ParcelEffect { parcel: id, change: ParcelChange::Scanned(trail) };
            Conclusion::with(ending, Effect::Parcel(effect), Contact::Answered)
        }
        Err(fault) => on_carrier_fault(attempt, id, false, fault),
    })
}

fn off_the_way(job: &Claimed, detail: String) -> Conclusion {
    Conclusion::plain(Ending::done(job, Outcome::Cancelled, detail, None), Contact::Answered)
}

/// All that the carrier tells of a parcel; `None` while it does not even tell its number.
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

/// The carrier has the order and we have no number of it: it checks the order by hand (SF), or had collected the parcel
/// before an order whose answer was lost could be withdrawn (EMS). Its calls may still tell, so it is given time; then
/// people must ask. A call that comes even later brings this job back to life.
fn without_waybill(job: &Claimed, settings: &WorkerSettings, order_no: &OrderNo) -> Conclusion {
    let ending = if job.age() > settings.waybill_within {
        let why = format!("ask the carrier for the waybill of order {}: it has not told it", order_no.as_str());
        Ending::dead(job, Outcome::NoWaybill, why)
    } else {
        Ending::snooze(job, settings.track_every, "the carrier has not told the waybill yet".to_owned())
    };
    Conclusion::plain(ending, Contact::None)
}
