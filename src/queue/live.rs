//! Live fan-out: whose clients should look again, told to every process that may hold their connections.
//!
//! What is told is only "look again"; what there is to see stands in PostgreSQL. A message that is lost costs a client
//! the time until its next look, nothing more.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use uuid::Uuid;

use super::{Queue, QueueError};
use crate::domain::ids::PersonId;

/// How long nothing may be heard before it is asked whether the line still leads anywhere; and how long the answer may take.
const SILENCE: Duration = Duration::from_secs(5);

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
        self.publish(payload).await
    }

    async fn publish(&self, payload: Vec<u8>) -> Result<(), QueueError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.live_channel()).arg(payload);
        Ok(publish.query_async(&mut self.connection()).await?)
    }

    /// Listens to what is announced, until the connection breaks or falls silent: where nothing is announced for a while,
    /// the listener announces that itself, and must hear it.
    ///
    /// # Errors
    /// When Redis is unavailable.
    pub async fn listen(&self) -> Result<impl Stream<Item = Vec<PersonId>> + Send + use<>, QueueError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(self.live_channel()).await?;
        let listener = (self.clone(), Box::pin(subscription.into_on_message()));
        Ok(stream::unfold(listener, |(queue, mut messages)| async move {
            let mut asked = false;
            loop {
                match tokio::time::timeout(SILENCE, messages.next()).await {
                    Ok(message) => {
                        let bytes = message?.get_payload_bytes().to_vec();
                        let ids = bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok());
                        return Some((ids.map(PersonId::from_uuid).collect(), (queue, messages)));
                    }
                    Err(_) if asked => return None,
                    Err(_) => asked = queue.publish(Vec::new()).await.is_ok(),
                }
            }
        }))
    }

    fn live_channel(&self) -> String {
        format!("{}live", self.prefix)
    }
}
