//! A client registers the device that it runs on, at every start and when its push token changes.

use super::People;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::notice::device::Device;
use crate::store::{StoreError, devices};

#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The push token is for a channel that this installation does not use.
    #[error("this installation has no such channel")]
    UnknownChannel,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Copy)]
pub struct Devices<'a>(&'a People);

impl People {
    pub const fn devices(&self) -> Devices<'_> {
        Devices(self)
    }
}

impl Devices<'_> {
    /// Registers a device, or updates it.
    pub async fn register(self, device: &Device) -> Result<(), RegisterError> {
        if device.push.as_ref().is_some_and(|push| !self.0.push_channels.contains(&push.channel)) {
            return Err(RegisterError::UnknownChannel);
        }
        Ok(devices::put(&mut *self.0.store.connection().await?, self.0.store.keys(), device).await?)
    }

    /// Forgets a device. Returns false if the person has no such device.
    pub async fn forget(self, person: PersonId, id: InstallationId) -> Result<bool, StoreError> {
        devices::remove(&mut *self.0.store.connection().await?, person, id).await
    }
}
