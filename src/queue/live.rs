//! Live fan-out: tells every process which people's clients should look again, because any process may hold their
//! connections.
//!
//! A message only says "look again"; PostgreSQL holds the content. If a message is lost, the client sees the change at
//! its next look, and nothing else is lost.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use crate::domain::kernel::ids::PersonId;
use crate::queue::connection::time_out::in_time;
use crate::queue::{Queue, QueueError};

/// How often a listener checks its connection, because hours without a message are normal.
const PING_EVERY: Duration = Duration::from_secs(5);

impl Queue {
    /// Tells all processes that these people's clients should look again.
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

    /// Listens to announcements until the connection breaks or falls silent.
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

    /// All nodes of a cluster pass messages on, so any node would do; the channel's slot chooses one.
    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
