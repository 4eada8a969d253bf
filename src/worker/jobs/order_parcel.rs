//! Orders a parcel at its carrier exactly once, whatever dies and when.
//!
//! An order may be repeated only if the carrier said twice, a while apart, that it has none under our number; or if an
//! order that may exist was withdrawn. After a withdrawal the next order gets a new number.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::delivery::parcel::{ParcelOrder, ParcelState};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::{Carrier, Recovery};
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::store::parcels::StoredParcel;
use crate::worker::attempts::attempt::Attempt;
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::verdict::{no_carrier, on_carrier_fault};

/// Clears up an unknown outcome, then orders.
pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let found = workshop.casework.jobs().parcel(id).await?;
    let stored = found.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?;
    if stored.parcel.state != ParcelState::Pending {
        let ending =
            Ending::done(job, Outcome::NoNeed, format!("the parcel is {}", stored.parcel.state.as_str()), None);
        return Ok(Conclusion::plain(ending, Contact::None));
    }
    let Some(carrier) = workshop.carriers.get(&stored.parcel.carrier) else {
        return Ok(no_carrier(job, &stored.parcel.carrier));
    };
    if job.unclear > 0
        && let Some(cleared_up) = clear_up(attempt, carrier.as_ref(), &stored).await
    {
        return Ok(cleared_up);
    }
    Ok(order(attempt, carrier.as_ref(), &stored).await)
}

/// Finds out what became of an order of unknown outcome; `None` if the same number may be ordered again.
async fn clear_up(attempt: &Attempt<'_>, carrier: &dyn Carrier, stored: &StoredParcel) -> Option<Conclusion> {
    let Attempt { workshop, job, .. } = attempt;
    let about = |change| effect(stored.parcel.id, change);
    match carrier.recover(&stored.parcel.order_no).await {
        Ok(Recovery::Found(booking)) => {
            let reference = booking.waybill.as_ref().map(ToString::to_string);
            let ending = Ending::done(job, Outcome::Found, "the carrier has the order".to_owned(), reference);
            Some(Conclusion::with(ending, about(ParcelChange::Ordered { waybill: booking.waybill }), Contact::Answered))
        }
        Ok(Recovery::Withdrawn) => {
            let why = "an order may have existed and is withdrawn".to_owned();
            let ending = Ending::snooze(job, std::time::Duration::ZERO, why).with_unclear(0);
            Some(Conclusion::with(ending, about(ParcelChange::Withdrawn), Contact::Answered))
        }
        Ok(Recovery::Absent) if job.told_absent => None,
        Ok(Recovery::Absent) => {
            let ending = Ending::told_absent(
                job,
                workshop.settings.time_outs.absent_for,
                "the carrier knows no order yet".to_owned(),
            );
            Some(Conclusion::plain(ending, Contact::Answered))
        }
        Err(fault) => Some(on_carrier_fault(attempt, stored.parcel.id, false, fault)),
    }
}

async fn order(attempt: &Attempt<'_>, carrier: &dyn Carrier, stored: &StoredParcel) -> Conclusion {
    let Attempt { workshop, job, .. } = attempt;
    let parcel = &stored.parcel;
    let order = ParcelOrder {
        order_no: parcel.order_no.clone(),
        sender: workshop.office.clone(),
        recipient: parcel.recipient.clone(),
        created_at: parcel.created_at,
    };
    attempt.reaches_out();
    match carrier.order(&order).await {
        Ok(booking) => {
            let reference = booking.waybill.as_ref().map(ToString::to_string);
            let ending = Ending::done(job, Outcome::Ordered, String::new(), reference);
            let change = ParcelChange::Ordered { waybill: booking.waybill };
            Conclusion::with(ending, effect(parcel.id, change), Contact::Answered)
        }
        Err(fault) => on_carrier_fault(attempt, parcel.id, true, fault),
    }
}

fn effect(parcel: ParcelId, change: ParcelChange) -> Effect {
    Effect::Parcel(ParcelEffect { parcel, change })
}
