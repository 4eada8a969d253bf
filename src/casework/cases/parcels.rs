//! An applicant reads the state and the scans of the parcels in which their results are sent.

use crate::casework::cases::Cases;
use crate::casework::frame::scanned_parcel::ScannedParcel;
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::store::cases::{self, Owner};
use crate::store::{StoreError, parcels};

impl Cases<'_> {
    /// Returns the parcels of an applicant's case; `None` if the applicant has no such case.
    pub async fn parcels(self, person: PersonId, case: CaseId) -> Result<Option<Vec<ScannedParcel>>, StoreError> {
        let keys = self.0.store().keys();
        let mut connection = self.0.store().connection().await?;
        if cases::find(&mut connection, keys, case, Owner::Applicant(person)).await?.is_none() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for stored in parcels::of_case(&mut connection, keys, case).await? {
            found.push(ScannedParcel::read(&mut connection, keys, stored).await?);
        }
        Ok(Some(found))
    }

    pub async fn parcel(self, person: PersonId, id: ParcelId) -> Result<Option<ScannedParcel>, StoreError> {
        let keys = self.0.store().keys();
        let mut connection = self.0.store().connection().await?;
        let found = parcels::find(&mut connection, keys, id).await?;
        let Some(stored) = found.filter(|stored| stored.parcel.person == person) else { return Ok(None) };
        ScannedParcel::read(&mut connection, keys, stored).await.map(Some)
    }
}
