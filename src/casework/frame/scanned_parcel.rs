use crate::domain::delivery::parcel::Scan;
use crate::store::parcels::{self, StoredParcel};
use crate::store::{Conn, KeyRing, StoreError};

/// A parcel and its scans, the oldest scan first.
pub struct ScannedParcel {
    pub stored: StoredParcel,
    pub scans: Vec<Scan>,
}

impl ScannedParcel {
    pub(in crate::casework) async fn read(
        conn: &mut Conn,
        keys: &KeyRing,
        stored: StoredParcel,
    ) -> Result<Self, StoreError> {
        let scans = parcels::scans(conn, keys, stored.parcel.id).await?;
        Ok(Self { stored, scans: scans.into_iter().map(|stored| stored.scan).collect() })
    }
}
