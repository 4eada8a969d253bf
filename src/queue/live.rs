//! Live updates over Redis pub/sub. A client waits for changes at one of the processes, and a change can happen in any
//! other process. So each change is announced to all processes, and those with a waiting client read the changes.
//!
//! An announcement contains only the ids of people; the changes are in PostgreSQL. If an announcement is lost, the
//! client gets the change with its next request.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use crate::domain::kernel::ids::PersonId;
use crate::queue::connection::time_out::in_time;
use crate::queue::{Queue, QueueError};

/// How often a listener checks its connection. Without the check it would not notice a dead connection, because hours
/// without a message are normal.
const PING_EVERY: Duration = Duration::from_secs(5);

impl Queue {
    /// Announces to all processes that these people have new changes.
    pub async fn announce(&self, people: &[PersonId]) -> Result<(), QueueError> {
        if people.is_empty() {
            return Ok(());
        }
        let mut payload = Vec::with_capacity(people.len() * 16);
        for person in people {
            payload.extend_from_slice(person.uuid().as_bytes());
        }
        let channel = self.live_channel();
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&channel).arg(payload);
        Ok(publish.query_async(&mut self.route_to(&channel)).await?)
    }

    /// Subscribes to announcements. Each item of the stream is the people of one announcement. The stream ends if the
    /// connection breaks or a ping gets no answer.
    pub async fn listen(&self) -> Result<impl Stream<Item = Vec<PersonId>> + Send + use<>, QueueError> {
        let channel = self.live_channel();
        let (mut sink, messages) = self.route_to(&channel).listen(&channel).await?.split();
        let silence = async move {
            while let Ok(()) = in_time(sink.ping()).await {
                tokio::time::sleep(PING_EVERY).await;
            }
        };
        Ok(messages.take_until(silence).map(|message| {
            let bytes = message.get_payload_bytes();
            bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).map(PersonId::from_uuid).collect()
        }))
    }

    /// The name of the pub/sub channel. In a cluster, nodes forward messages to each other, so any node would do. The
    /// hash slot of this name selects the node.
    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
