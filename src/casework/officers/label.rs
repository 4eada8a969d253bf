//! 面单: an officer fetches the label of a parcel from its carrier, to print it.

use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::kernel::ids::ParcelId;
use crate::gateway::courier::{CarrierFault, Label};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The officer's agencies have no such parcel.
    #[error("there is no such parcel here")]
    NotFound,
    /// The carrier has not assigned a waybill yet. The text is the parcel's state.
    #[error("not possible while the parcel is {0}")]
    NoWaybill(&'static str),
    #[error("the carrier is not set up any more")]
    NoCarrier,
    #[error("the carrier gives no label")]
    Carrier(CarrierFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Officers<'_> {
    /// Fetches the label of a parcel. No transaction is open while the carrier is called.
    pub async fn label(self, officer: &OfficerAtWork, id: ParcelId) -> Result<Label, LabelError> {
        let parcel = self.parcel(officer, id).await?.ok_or(LabelError::NotFound)?.stored.parcel;
        let waybill = parcel.waybill.as_ref().ok_or(LabelError::NoWaybill(parcel.state.as_str()))?;
        let carrier = self.0.parts.carriers.get(&parcel.carrier).ok_or(LabelError::NoCarrier)?;
        carrier.label(waybill).await.map_err(LabelError::Carrier)
    }
}
