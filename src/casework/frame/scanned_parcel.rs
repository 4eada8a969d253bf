//! A parcel with its scans.

use crate::domain::delivery::parcel::Scan;
use crate::store::parcels::{self, StoredParcel};
use crate::store::{Conn, KeyRing, StoreError};

/// A parcel and its scans, oldest first.
pub struct ScannedParcel {
    pub stored: StoredParcel,
    pub scans: Vec<Scan>,
}

impl ScannedParcel {
    /// Reads the scans of a parcel.
    pub(in crate::casework) async fn read(
        conn: &mut Conn,
        keys: &KeyRing,
        stored: StoredParcel,
    ) -> Result<Self, StoreError> {
        let scans = parcels::scans(conn, keys, stored.parcel.id).await?;
        Ok(Self { stored, scans: scans.into_iter().map(|stored| stored.scan).collect() })
    }
}
