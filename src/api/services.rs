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
    /// Wakes clients that wait for changes.
    pub live: Live,
    pub queue: Queue,
    pub cursors: Cursors,
    /// Cancelled when the process stops. It ends open streams.
    pub stop: CancellationToken,
}
