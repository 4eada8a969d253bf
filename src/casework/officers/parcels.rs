//! What an officer does with parcels: read them, and cancel one that must not go out.

use chrono::NaiveDate;
use serde_json::json;

use super::Desk;
use crate::casework::Casework;
use crate::domain::delivery::parcel::{ParcelState, Scan};
use crate::domain::kernel::ids::{CaseId, ParcelId};
use crate::domain::work::job::{Job, Work};
use crate::store::parcels::{self, StoredParcel};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, cases, jobs};

/// Why a parcel is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is no such parcel, or it is not of a case of the agency.
    #[error("there is no such parcel here")]
    NotFound,
    /// It is not ordered yet, on its way already, or at its end.
    #[error("not possible while the parcel is {0}")]
    WrongState(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Casework {
    /// A parcel of a case of the agency, with its way.
    pub async fn parcel_of_agency(
        &self,
        desk: &Desk,
        id: ParcelId,
    ) -> Result<Option<(StoredParcel, Vec<Scan>)>, StoreError> {
        let mut connection = self.store().connection().await?;
        let keys = self.store().keys();
        let Some(stored) = parcels::find(&mut connection, keys, id).await? else { return Ok(None) };
        if cases::find(&mut connection, keys, stored.parcel.case, desk.owner()).await?.is_none() {
            return Ok(None);
        }
        let way = parcels::scans(&mut connection, keys, id).await?;
        Ok(Some((stored, way.into_iter().map(|step| step.scan).collect())))
    }

    /// The parcels of a case of the agency, the first one first; `None` if it has no such case.
    pub async fn parcels_of_agencys_case(
        &self,
        desk: &Desk,
        case: CaseId,
    ) -> Result<Option<Vec<StoredParcel>>, StoreError> {
        let mut connection = self.store().connection().await?;
        let keys = self.store().keys();
        if cases::find(&mut connection, keys, case, desk.owner()).await?.is_none() {
            return Ok(None);
        }
        parcels::of_case(&mut connection, keys, case).await.map(Some)
    }

    /// The agency's parcels in a state by the day on which they must have arrived, after a place in the list.
    pub async fn parcels_to_serve(
        &self,
        desk: &Desk,
        state: ParcelState,
        after: Option<(Option<NaiveDate>, ParcelId)>,
        limit: i64,
    ) -> Result<Vec<StoredParcel>, StoreError> {
        let keys = self.store().keys();
        parcels::of_agency(&mut *self.store().connection().await?, keys, &desk.agency, state, after, limit).await
    }

    /// Promises the cancellation of a parcel that is ordered and not picked up yet.
    ///
    /// # Errors
    /// When it is not there, or not just ordered.
    pub async fn cancel_parcel(&self, desk: &Desk, id: ParcelId) -> Result<(), CancelError> {
        let (stored, _) = self.parcel_of_agency(desk, id).await?.ok_or(CancelError::NotFound)?;
        let parcel = stored.parcel;
        // Before the carrier has the order there is nothing to cancel; once it was picked up, nothing can be.
        if parcel.state != ParcelState::Ordered {
            return Err(CancelError::WrongState(parcel.state.as_str()));
        }
        let now = self.now();
        let mut record = Record::default();
        record.remember(parcel.case, &desk.actor(), "parcel_cancellation_asked", json!({"parcel": id}), now);
        let cancel = Work::CancelParcel { parcel: id, carrier: parcel.carrier };
        let key = cancel.key();
        record.enqueue(&Job::now(cancel), desk.trace.as_deref())?;
        let mut tx = self.store().begin().await?;
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        // It may have been asked for before, and have come to nothing.
        jobs::revive(&mut tx, &key).await?;
        self.commit(tx, &record, offers).await?;
        Ok(())
    }
}
