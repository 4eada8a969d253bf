//! What the API reads through the use cases: rows as the database holds them. The API names nothing of the store but by this
//! file.

pub use crate::store::callbacks::StoredCall;
pub use crate::store::cases::{HistoryEntry, VersionedCase};
pub use crate::store::changes::Change;
pub use crate::store::drafts::Draft;
pub use crate::store::jobs::{AttemptRow, Backlog, JobFilter, JobRow, LaneCounts};
pub use crate::store::notifications::Received;
pub use crate::store::parcels::StoredParcel;
pub use crate::store::reported::KnownAs;
pub use crate::store::uploads::StoredUpload;

/// Every use case may fail with the database.
pub use crate::store::StoreError;

/// The keys of the installation, which also sign the cursors of lists.
pub use crate::store::KeyRing;
