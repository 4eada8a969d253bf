//! Live updates: tells every process whose clients should read their changes again. Clients wait for changes at any
//! process.
//!
//! A message contains only the ids of people. PostgreSQL holds the changes. If a message is lost, a client finds the
//! change when it reads the next time.

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
    /// Tells all processes that the clients of these people should read their changes again.
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

    /// Listens to announcements until the connection breaks or gets no answers any more. An item is the people of one
    /// announcement.
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

    /// The name of the channel. In a cluster every node passes messages on. The hash slot of this name selects one
    /// node.
    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
