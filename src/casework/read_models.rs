//! Re-exports the database rows that the API shows. The API must not import the store itself.

pub use crate::store::callbacks::StoredCall;
pub use crate::store::cases::{HistoryEntry, VersionedCase};
pub use crate::store::changes::Change;
pub use crate::store::drafts::Draft;
pub use crate::store::jobs::{AttemptRow, Backlog, JobFilter, JobRow, LaneCounts};
pub use crate::store::notifications::Received;
pub use crate::store::parcels::StoredParcel;
pub use crate::store::reported::KnownAs;
pub use crate::store::sessions::OpenSession;
pub use crate::store::uploads::StoredUpload;

/// Re-exported because the API signs the cursors of lists with the installation's keys.
pub use crate::store::KeyRing;
pub use crate::store::StoreError;
