//! Clients tell about the installations that they are, at every start and whenever a push token changes.

use super::People;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::notice::device::Device;
use crate::store::{StoreError, devices};

/// Why a device is not kept.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its push token is for a channel that this installation does not send over.
    #[error("this installation has no such channel")]
    UnknownChannel,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Keeps a device as it describes itself now.
    ///
    /// # Errors
    /// When its push channel is none of ours.
    pub async fn register_device(&self, device: &Device) -> Result<(), RegisterError> {
        if device.push.as_ref().is_some_and(|push| !self.push_channels.contains(&push.channel)) {
            return Err(RegisterError::UnknownChannel);
        }
        Ok(devices::put(&mut *self.store.connection().await?, self.store.keys(), device).await?)
    }

    /// Forgets a device; says whether the person had it.
    pub async fn forget_device(&self, person: PersonId, id: InstallationId) -> Result<bool, StoreError> {
        devices::remove(&mut *self.store.connection().await?, person, id).await
    }
}
