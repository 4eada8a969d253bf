//! Cancels a parcel at its carrier. Asking twice is harmless, because an order that does not exist counts as cancelled.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::CarrierFact;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::attempt::Attempt;
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::verdict::{no_carrier, on_carrier_fault};

pub async fn run(attempt: &Attempt<'_>, id: ParcelId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let found = workshop.casework.jobs().parcel(id).await?;
    let parcel = found.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?.parcel;
    let Some(carrier) = workshop.carriers.get(&parcel.carrier) else { return Ok(no_carrier(job, &parcel.carrier)) };
    let cancelled = |detail: String| {
        let effect = Effect::Parcel(ParcelEffect { parcel: id, change: ParcelChange::Cancelled });
        Conclusion::with(Ending::done(job, Outcome::Cancelled, detail, None), effect, Contact::Answered)
    };
    Ok(match carrier.cancel(&parcel.order_no, parcel.waybill.as_ref()).await {
        Ok(()) => cancelled(String::new()),
        Err(fault) if fault.fact == CarrierFact::Absent => cancelled(fault.detail),
        // It was collected in between. The parcel is on its way, and its scans will say so.
        Err(fault) if fault.fact == CarrierFact::WrongState => {
            Conclusion::plain(Ending::done(job, Outcome::TooLate, fault.detail, None), Contact::Answered)
        }
        Err(fault) => on_carrier_fault(attempt, id, false, fault),
    })
}
