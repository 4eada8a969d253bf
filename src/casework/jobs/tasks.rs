//! The data that the use cases hand to a worker for its attempts.

use std::collections::BTreeMap;

use crate::domain::kernel::ids::{JobId, NotificationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, Consent, PushMessage};
use crate::domain::work::job::Offer;
use crate::store::StoreError;

/// A push job that is claimed and not prepared yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPush {
    pub job: JobId,
    pub notification: NotificationId,
    /// True if the push was claimed before. Another channel may have delivered the notification since.
    pub again: bool,
}

/// A message that is prepared and can be sent.
#[derive(Debug, Clone)]
pub struct PushTask {
    /// The recipient's address on the channel.
    pub to: Private<String>,
    /// The sealed (encrypted) address, as it is in the database.
    pub kept: Vec<u8>,
    /// The keyed hash of the address. It identifies the recipient in delivery receipts, and in Redis while a message to
    /// the recipient is being sent.
    pub recipient: String,
    pub message: PushMessage,
    pub person: PersonId,
}

impl PushTask {
    /// The template whose consent is reserved for the message; `None` if the message needs no consent.
    pub fn held_template(&self) -> Option<String> {
        (self.message.consent != Consent::NotNeeded).then(|| self.message.template.clone())
    }
}

/// The result of preparing a push.
#[derive(Debug, Clone)]
pub enum Prepared {
    Ready(Box<PushTask>),
    /// The person has no address on the channel or no consent for the message, or the channel has no template for the
    /// event.
    Unreachable,
    /// Another channel delivered the notification, or got a job to deliver it.
    NoNeed,
}

/// Prepared pushes by job. Each push has its own error.
pub type PreparedPushes = BTreeMap<JobId, Result<Prepared, StoreError>>;

/// The due jobs that a sweep of a lane (the job queue of one gateway) found without an entry in the lane's Redis
/// stream.
#[derive(Debug)]
pub struct Swept {
    pub offers: Vec<Offer>,
    /// How many of these jobs had an entry that was lost. The other jobs got no entry since they became due.
    pub lost: usize,
}

/// Returns the name of the event that a push of unknown outcome waits for: a delivery receipt for a message with this
/// template to this recipient.
pub fn receipt_event(channel: &ChannelCode, recipient: &str, template: &str) -> String {
    format!("receipt:{channel}:{recipient}:{template}")
}
