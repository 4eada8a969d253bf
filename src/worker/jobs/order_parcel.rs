//! Orders a parcel at its carrier; once, whatever dies when.
//!
//! Before an order may be repeated, the carrier must have said twice, a while apart, that it knows none under our number;
//! or an order that may exist must have been withdrawn, and then the next one gets a new number.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::ids::ParcelId;
use crate::domain::parcel::{ParcelOrder, ParcelState};
use crate::gateway::courier::{Carrier, CarrierFact, Recovery};
use crate::kill_point::{self, Step};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::StoredParcel;
use crate::worker::Workshop;
use crate::worker::verdict::{Conclusion, Contact, on_carrier_fault};

/// Clears up what is unclear, then orders.
pub async fn run(workshop: &Workshop, job: &Claimed, id: ParcelId) -> Result<Conclusion, StoreError> {
    let found = workshop.casework.parcel(id).await?;
    let stored = found.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?;
    if stored.parcel.state != ParcelState::Pending {
        let ending = Ending::done(job, "no_need", format!("the parcel is {}", stored.parcel.state.as_str()), None);
        return Ok(Conclusion::plain(ending, Contact::None));
    }
    let Some(carrier) = workshop.carriers.get(&stored.parcel.carrier) else {
        let why = format!("carrier {} is not set up", stored.parcel.carrier);
        return Ok(Conclusion::plain(Ending::dead(job, "no_carrier", why), Contact::None));
    };
    if job.unclear > 0
        && let Some(cleared_up) = clear_up(workshop, job, carrier.as_ref(), &stored).await
    {
        return Ok(cleared_up);
    }
    Ok(order(workshop, job, carrier.as_ref(), &stored).await)
}

/// Finds out what became of an order of unknown outcome; `None` when the same number may be ordered again.
async fn clear_up(
    workshop: &Workshop,
    job: &Claimed,
    carrier: &dyn Carrier,
    stored: &StoredParcel,
) -> Option<Conclusion> {
    let settings = &workshop.settings;
    let about = |change| effect(stored.parcel.id, change);
    match carrier.recover(&stored.parcel.order_no).await {
        Ok(Recovery::Found(booking)) => {
            let reference = booking.waybill.as_ref().map(ToString::to_string);
            let ending = Ending::done(job, "found", "the carrier has the order".to_owned(), reference);
            Some(Conclusion::with(ending, about(ParcelChange::Ordered { waybill: booking.waybill }), Contact::Answered))
        }
        Ok(Recovery::Withdrawn) => {
            let why = "an order may have existed and is withdrawn".to_owned();
            let ending = Ending::snooze(job, std::time::Duration::ZERO, why).with_unclear(0);
            Some(Conclusion::with(ending, about(ParcelChange::Withdrawn), Contact::Answered))
        }
        Ok(Recovery::Absent) if job.told_absent => None,
        Ok(Recovery::Absent) => {
            let ending = Ending::told_absent(job, settings.absent_for, "the carrier knows no order yet".to_owned());
            Some(Conclusion::plain(ending, Contact::Answered))
        }
        Err(fault) => {
            let (ending, contact) = on_carrier_fault(job, &settings.retry, settings.clear_up_after, false, fault);
            Some(Conclusion::plain(ending, contact))
        }
    }
}

async fn order(workshop: &Workshop, job: &Claimed, carrier: &dyn Carrier, stored: &StoredParcel) -> Conclusion {
    let parcel = &stored.parcel;
    let order = ParcelOrder {
        order_no: parcel.order_no.clone(),
        sender: workshop.office.clone(),
        recipient: parcel.recipient.clone(),
        created_at: parcel.created_at,
    };
    kill_point::pass(Step::Prepared, job.lane_name());
    match carrier.order(&order).await {
        Ok(booking) => {
            let reference = booking.waybill.as_ref().map(ToString::to_string);
            let ending = Ending::done(job, "ordered", String::new(), reference);
            let change = ParcelChange::Ordered { waybill: booking.waybill };
            Conclusion::with(ending, effect(parcel.id, change), Contact::Answered)
        }
        Err(fault) if fault.fact == CarrierFact::AddressRefused => {
            let ending = Ending::done(job, "address_refused", fault.detail, None);
            Conclusion::with(ending, effect(parcel.id, ParcelChange::AddressRefused), Contact::Answered)
        }
        Err(fault) => {
            let settings = &workshop.settings;
            let (ending, contact) = on_carrier_fault(job, &settings.retry, settings.clear_up_after, true, fault);
            Conclusion::plain(ending, contact)
        }
    }
}

fn effect(parcel: ParcelId, change: ParcelChange) -> Effect {
    Effect::Parcel(ParcelEffect { parcel, change })
}
