//! Work that no caller asks for: publishing the catalogue, and deleting what has expired.

pub mod forget_old;
pub mod forget_uploads;
pub mod publish_catalogue;

use crate::casework::Casework;
use crate::store::StoreError;

/// What a process does by itself from time to time.
#[derive(Clone, Copy)]
pub struct Upkeep<'a>(&'a Casework);

impl Casework {
    pub const fn upkeep(&self) -> Upkeep<'_> {
        Upkeep(self)
    }
}

impl Upkeep<'_> {
    /// Asks whether the database answers.
    pub async fn ping(self) -> Result<(), StoreError> {
        self.0.store().ping().await
    }
}
