//! An officer reads the parcels of the agencies for which they work, and cancels a parcel.

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::json;

use crate::casework::frame::scanned_parcel::ScannedParcel;
use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::case::act::Act;
use crate::domain::delivery::parcel::ParcelState;
use crate::domain::kernel::ids::{CaseId, ParcelId};
use crate::domain::work::job::{Job, Work};
use crate::store::parcels::{self, StoredParcel};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, cases, jobs};

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The officer's agencies have no such parcel.
    #[error("there is no such parcel here")]
    NotFound,
    /// The parcel is not ordered yet, was picked up already, or has ended. The text is the parcel's state.
    #[error("not possible while the parcel is {0}")]
    WrongState(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Officers<'_> {
    pub async fn parcel(self, officer: &OfficerAtWork, id: ParcelId) -> Result<Option<ScannedParcel>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let keys = self.0.store().keys();
        let Some(stored) = parcels::find(&mut connection, keys, id).await? else { return Ok(None) };
        if cases::find(&mut connection, keys, stored.parcel.case, officer.owner()).await?.is_none() {
            return Ok(None);
        }
        ScannedParcel::read(&mut connection, keys, stored).await.map(Some)
    }

    /// Returns the parcels of a case, the oldest first; `None` if the officer's agencies have no such case.
    pub async fn parcels(self, officer: &OfficerAtWork, case: CaseId) -> Result<Option<Vec<StoredParcel>>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let keys = self.0.store().keys();
        if cases::find(&mut connection, keys, case, officer.owner()).await?.is_none() {
            return Ok(None);
        }
        parcels::of_case(&mut connection, keys, case).await.map(Some)
    }

    /// Lists the parcels of the officer's agencies that are in one state, sorted by the day by which they must arrive.
    /// `after` is the last parcel of the previous page.
    pub async fn parcels_to_serve(
        self,
        officer: &OfficerAtWork,
        state: ParcelState,
        after: Option<(Option<NaiveDate>, ParcelId)>,
        limit: i64,
    ) -> Result<Vec<StoredParcel>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let keys = self.0.store().keys();
        let mut found = Vec::new();
        for agency in officer.remit.agencies() {
            found.extend(parcels::of_agency(&mut connection, keys, agency, state, after, limit).await?);
        }
        found.sort_by_key(|stored| (stored.serve_by.is_none(), stored.serve_by, stored.parcel.id));
        found.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(found)
    }

    /// Adds the job that cancels a parcel at its carrier.
    pub async fn cancel_parcel(self, officer: &OfficerAtWork, id: ParcelId) -> Result<(), CancelError> {
        let StoredParcel { parcel, agency, .. } = self.parcel(officer, id).await?.ok_or(CancelError::NotFound)?.stored;
        // Before the carrier has the order, there is nothing to cancel. After the pick-up, it is too late to cancel.
        if parcel.state != ParcelState::Ordered {
            return Err(CancelError::WrongState(parcel.state.as_str()));
        }
        let now = self.0.now();
        let mut record = Record::default();
        let cause = json!({"parcel": id});
        record.remember(parcel.case, &officer.acting(&agency), Act::ParcelCancellationAsked, cause, now);
        let cancel = Work::CancelParcel { parcel: id, carrier: parcel.carrier };
        let key = cancel.key();
        record.enqueue(&Job::now(cancel), officer.trace.as_deref())?;
        let mut tx = self.0.store().begin().await?;
        let offers = self.0.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        // If an earlier cancellation failed, its job exists already, and is made due again.
        jobs::revive(&mut tx, &key, Duration::ZERO).await?;
        self.0.commit(tx, &record, offers).await?;
        Ok(())
    }
}
