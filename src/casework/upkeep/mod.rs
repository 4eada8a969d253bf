//! Use cases of operators and of the server itself: publishing the catalogue, and deleting old rows and files.

pub mod forget_old;
pub mod forget_uploads;
pub mod publish_catalogue;
pub mod retention;

use crate::casework::Casework;
use crate::store::StoreError;

#[derive(Clone, Copy)]
pub struct Upkeep<'a>(&'a Casework);

impl Casework {
    pub const fn upkeep(&self) -> Upkeep<'_> {
        Upkeep(self)
    }
}

impl Upkeep<'_> {
    /// Fails if the database does not answer.
    pub async fn ping(self) -> Result<(), StoreError> {
        self.0.store().ping().await
    }
}
