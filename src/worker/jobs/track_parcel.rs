//! Asks a carrier how a parcel is doing: the second path beside its own calls, and the proof of an end. The job stays
//! until the way has ended.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect, Trail};
use crate::domain::ids::ParcelId;
use crate::domain::parcel::{OrderNo, Parcel, ParcelState, Waybill};
use crate::domain::retry::RetryPolicy;
use crate::gateway::courier::{Carrier, CarrierFault};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::verdict::{Conclusion, Contact, on_carrier_fault};
use crate::worker::{WorkerSettings, Workshop};

/// Asks, and comes back later unless the way has ended.
pub async fn run(workshop: &Workshop, job: &Claimed, id: ParcelId) -> Result<Conclusion, StoreError> {
    let found = workshop.casework.parcel(id).await?;
    let parcel = found.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?.parcel;
    let settings = &workshop.settings;
    let policy = RetryPolicy { attempts: 500, age: LONGEST_WAY, longest: settings.track_every, ..settings.retry };
    if job.age() > LONGEST_WAY {
        return Ok(Conclusion::plain(
            Ending::dead(job, "never_arrived", "no end after sixty days".to_owned()),
            Contact::None,
        ));
    }
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else {
        let why = format!("carrier {} is not set up", parcel.carrier);
        return Ok(Conclusion::plain(Ending::dead(job, "no_carrier", why), Contact::None));
    };
    Ok(match look(workshop, carrier.as_ref(), &parcel).await {
        Ok(None) => without_waybill(job, settings, &parcel.order_no),
        Ok(Some(trail)) => {
            let state = ParcelState::after(true, &trail.scans);
            let told = format!("{} scans", trail.scans.len());
            let ending = if state.is_final() {
                Ending::done(job, "ended", told, None)
            } else {
                Ending::snooze(job, settings.track_every, told)
            };
            let effect = ParcelEffect { parcel: id, change: ParcelChange::Scanned(trail) };
            Conclusion::with(ending, Effect::Parcel(effect), Contact::Answered)
        }
        Err(fault) => {
            let (ending, contact) = on_carrier_fault(job, &policy, settings.clear_up_after, false, fault);
            Conclusion::plain(ending, contact)
        }
    })
}

/// All that the carrier tells of a parcel; `None` while it does not even tell its number.
async fn look(workshop: &Workshop, carrier: &dyn Carrier, parcel: &Parcel) -> Result<Option<Trail>, CarrierFault> {
    let waybill = match &parcel.waybill {
        Some(waybill) => Some(waybill.clone()),
        None => carrier.waybill(&parcel.order_no).await?.filter(Waybill::is_sound),
    };
    let Some(waybill) = waybill else { return Ok(None) };
    let mut scans = carrier.track(&waybill, &parcel.recipient.phone).await?;
    let now = workshop.casework.now();
    scans.retain(|scan| scan.is_sound(now));
    Ok(Some(Trail { waybill: Some(waybill), scans, source: ScanSource::Query }))
}

/// The carrier has the order and we have no number of it: it checks the order by hand (SF), or had collected the parcel
/// before an order whose answer was lost could be withdrawn (EMS). Its calls may still tell, so it is given time; then
/// people must ask. A call that comes even later brings this job back to life.
fn without_waybill(job: &Claimed, settings: &WorkerSettings, order_no: &OrderNo) -> Conclusion {
    let ending = if job.age() > settings.waybill_within {
        let why = format!("ask the carrier for the waybill of order {}: it has not told it", order_no.as_str());
        Ending::dead(job, "no_waybill", why)
    } else {
        Ending::snooze(job, settings.track_every, "the carrier has not told the waybill yet".to_owned())
    };
    Conclusion::plain(ending, Contact::None)
}

const LONGEST_WAY: std::time::Duration = std::time::Duration::from_secs(60 * 86_400);
