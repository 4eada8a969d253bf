//! Live fan-out: whose clients should look again, told to every process that may hold their connections.
//!
//! What is told is only "look again"; what there is to see stands in PostgreSQL. A message that is lost costs a client
//! the time until its next look, nothing more.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use super::{Queue, QueueError};
use crate::domain::kernel::ids::PersonId;
use crate::queue::connection::endpoint::in_time;

/// How often who listens makes sure that the line still stands: hearing nothing is not unusual.
const MAKE_SURE_EVERY: Duration = Duration::from_secs(5);

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
        Ok(publish.query_async(&mut self.way_to(&channel)).await?)
    }

    /// Listens to what is announced, until the connection breaks or falls silent.
    pub async fn listen(&self) -> Result<impl Stream<Item = Vec<PersonId>> + Send + use<>, QueueError> {
        let channel = self.live_channel();
        let (mut line, messages) = self.way_to(&channel).listen(&channel).await?.split();
        let silence = async move {
            while let Ok(()) = in_time(line.ping()).await {
                tokio::time::sleep(MAKE_SURE_EVERY).await;
            }
        };
        Ok(messages.take_until(silence).map(|message| {
            let bytes = message.get_payload_bytes();
            bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).map(PersonId::from_uuid).collect()
        }))
    }

    /// All nodes of a cluster pass on what one is told; that of the channel's slot is as good as any.
    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
