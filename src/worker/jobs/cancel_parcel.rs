//! Cancels a parcel at its carrier. The job can safely run twice, because an order that does not exist counts as
//! cancelled.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::CarrierFact;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::{Attempt, Conclusion, Contact, no_carrier, on_carrier_fault};

pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let parcel = workshop.casework.jobs().parcel(id).await?.parcel;
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else { return Ok(no_carrier(job, &parcel.carrier)) };
    let cancelled = |detail: String| {
        let effect = Effect::Parcel(ParcelEffect { parcel: id, change: ParcelChange::Cancelled });
        Conclusion::with(Ending::done(job, Outcome::Cancelled, detail, None), effect, Contact::Answered)
    };
    Ok(match carrier.cancel(&parcel.order_no, parcel.waybill.as_ref()).await {
        Ok(()) => cancelled(String::new()),
        Err(fault) if fault.fact == CarrierFact::Absent => cancelled(fault.detail),
        // The carrier has already collected the parcel. The carrier's scans will show that.
        Err(fault) if fault.fact == CarrierFact::WrongState => {
            Conclusion::plain(Ending::done(job, Outcome::TooLate, fault.detail, None), Contact::Answered)
        }
        Err(fault) => on_carrier_fault(attempt, id, false, fault),
    })
}
