//! Asks a carrier how a parcel is doing: the second path beside its own calls, and the proof of an end. The job stays
//! until the way has ended.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::ids::ParcelId;
use crate::domain::parcel::ParcelState;
use crate::domain::retry::RetryPolicy;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::Workshop;
use crate::worker::verdict::{Conclusion, Contact, on_carrier_fault};

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
    let waybill = match &parcel.waybill {
        Some(waybill) => Ok(Some(waybill.clone())),
        None => carrier.waybill(&parcel.order_no).await,
    };
    let scans = match waybill {
        Ok(Some(waybill)) => carrier.track(&waybill, &parcel.recipient.phone).await,
        Ok(None) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    };
    Ok(match scans {
        Ok(scans) => {
            let state = ParcelState::after(true, &scans);
            let told = format!("{} scans", scans.len());
            let ending = if state.is_final() {
                Ending::done(job, "ended", told, None)
            } else {
                Ending::snooze(job, settings.track_every, told)
            };
            let change = ParcelChange::Scanned { scans, source: ScanSource::Query };
            Conclusion::with(ending, Effect::Parcel(ParcelEffect { parcel: id, change }), Contact::Answered)
        }
        Err(fault) => {
            let (ending, contact) = on_carrier_fault(job, &policy, settings.clear_up_after, false, fault);
            Conclusion::plain(ending, contact)
        }
    })
}

const LONGEST_WAY: std::time::Duration = std::time::Duration::from_secs(60 * 86_400);
