//! Orders a parcel at its carrier exactly once, even if a worker dies or the carrier's response is lost.
//!
//! An order of unknown outcome is repeated in two cases only. Either the carrier reported twice, a while apart, that it
//! has no order with our number. Or the order was withdrawn, and the next order gets a new number.

use std::time::Duration;

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::delivery::parcel::{Parcel, ParcelOrder, ParcelState, Waybill};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::{Carrier, Recovery};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::{Attempt, Conclusion, Contact, no_carrier, on_carrier_fault};

pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let parcel = workshop.casework.jobs().parcel(id).await?.parcel;
    if parcel.state != ParcelState::Pending {
        let why = format!("the parcel is {}", parcel.state.as_str());
        return Ok(Conclusion::plain(Ending::done(job, Outcome::NoNeed, why, None), Contact::None));
    }
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else { return Ok(no_carrier(job, &parcel.carrier)) };
    if job.unclear > 0
        && let Some(cleared_up) = clear_up(attempt, carrier.as_ref(), &parcel).await
    {
        return Ok(cleared_up);
    }
    Ok(order(attempt, carrier.as_ref(), &parcel).await)
}

/// Asks the carrier about an order of unknown outcome. Returns `None` if the parcel can be ordered again under the same
/// number.
async fn clear_up(attempt: &Attempt<'_>, carrier: &dyn Carrier, parcel: &Parcel) -> Option<Conclusion> {
    let Attempt { workshop, job, .. } = attempt;
    match carrier.recover(&parcel.order_no).await {
        Ok(Recovery::Found(booking)) => {
            Some(ordered(job, parcel, Outcome::Found, "the carrier has the order", booking.waybill))
        }
        Ok(Recovery::Withdrawn) => {
            let why = "an order may have existed and is withdrawn".to_owned();
            let ending = Ending::snooze(job, Duration::ZERO, why).with_unclear(0);
            let effect = ParcelEffect { parcel: parcel.id, change: ParcelChange::Withdrawn };
            Some(Conclusion::with(ending, Effect::Parcel(effect), Contact::Answered))
        }
        Ok(Recovery::Absent) if job.told_absent => None,
        Ok(Recovery::Absent) => {
            let wait = workshop.settings.time_outs.absent_for;
            let ending = Ending::told_absent(job, wait, "the carrier knows no order yet".to_owned());
            Some(Conclusion::plain(ending, Contact::Answered))
        }
        Err(fault) => Some(on_carrier_fault(attempt, parcel.id, false, fault)),
    }
}

async fn order(attempt: &Attempt<'_>, carrier: &dyn Carrier, parcel: &Parcel) -> Conclusion {
    let Attempt { workshop, job, .. } = attempt;
    let order = ParcelOrder {
        order_no: parcel.order_no.clone(),
        sender: workshop.office.clone(),
        recipient: parcel.recipient.clone(),
        created_at: parcel.created_at,
    };
    attempt.reaches_out();
    match carrier.order(&order).await {
        Ok(booking) => ordered(job, parcel, Outcome::Ordered, "", booking.waybill),
        Err(fault) => on_carrier_fault(attempt, parcel.id, true, fault),
    }
}

/// Returns the conclusion of an attempt after which the carrier has the order.
fn ordered(job: &Claimed, parcel: &Parcel, outcome: Outcome, detail: &str, waybill: Option<Waybill>) -> Conclusion {
    let reference = waybill.as_ref().map(ToString::to_string);
    let effect = ParcelEffect { parcel: parcel.id, change: ParcelChange::Ordered { waybill } };
    let ending = Ending::done(job, outcome, detail.to_owned(), reference);
    Conclusion::with(ending, Effect::Parcel(effect), Contact::Answered)
}
