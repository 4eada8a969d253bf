//! Clients tell about the installations that they are, at every start and whenever a push token changes.

use super::People;
use crate::domain::device::Device;
use crate::domain::ids::{InstallationId, PersonId};
use crate::store::{StoreError, devices};

impl People {
    /// Keeps a device as it describes itself now.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn register_device(&self, device: &Device) -> Result<(), StoreError> {
        devices::put(&mut *self.store.connection().await?, self.store.keys(), device).await
    }

    /// Forgets a device; says whether the person had it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forget_device(&self, person: PersonId, id: InstallationId) -> Result<bool, StoreError> {
        devices::remove(&mut *self.store.connection().await?, person, id).await
    }
}
