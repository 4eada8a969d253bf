//! Live fan-out: whose clients should look again, told to every process that may hold their connections.
//!
//! What is told is only "look again"; what there is to see stands in PostgreSQL. A message that is lost costs a client
//! the time until its next look, nothing more.

use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use super::{Queue, QueueError};
use crate::domain::ids::PersonId;

impl Queue {
    /// Tells all processes that these people's clients should look again.
    ///
    /// # Errors
    /// When Redis is unavailable.
    pub async fn announce(&self, people: &[PersonId]) -> Result<(), QueueError> {
        if people.is_empty() {
            return Ok(());
        }
        let mut payload = Vec::with_capacity(people.len() * 16);
        for person in people {
            payload.extend_from_slice(person.uuid().as_bytes());
        }
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.live_channel()).arg(payload);
        Ok(publish.query_async(&mut self.connection()).await?)
    }

    /// Listens to what is announced, until the connection breaks.
    ///
    /// # Errors
    /// When Redis is unavailable.
    pub async fn listen(&self) -> Result<impl Stream<Item = Vec<PersonId>> + Send + use<>, QueueError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(self.live_channel()).await?;
        Ok(subscription.into_on_message().map(|message| {
            let bytes = message.get_payload_bytes();
            bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).map(PersonId::from_uuid).collect()
        }))
    }

    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
