//! The services that operations use.

use tokio_util::sync::CancellationToken;

use crate::api::edge::Cursors;
use crate::casework::Casework;
use crate::casework::notices::live::Live;
use crate::casework::people::People;
use crate::queue::Queue;

#[derive(Clone)]
pub struct Services {
    pub people: People,
    pub casework: Casework,
    /// Notifies long-polls and event streams when something changes.
    pub live: Live,
    pub queue: Queue,
    pub cursors: Cursors,
    /// Cancelled when the process stops, which ends open long-polls and event streams.
    pub stop: CancellationToken,
}
