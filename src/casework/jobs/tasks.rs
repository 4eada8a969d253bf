//! What a worker is given to do.

use std::collections::BTreeMap;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{JobId, NotificationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, Consent, PushMessage};
use crate::domain::work::job::Offer;
use crate::store::StoreError;

/// A push that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPush {
    pub job: JobId,
    pub notification: NotificationId,
    /// True if a worker claimed this push before. Since then, another channel may have delivered the notification.
    pub again: bool,
}

/// A message that is ready to be sent.
#[derive(Debug, Clone)]
pub struct PushTask {
    /// The recipient's address on the channel.
    pub to: Private<String>,
    /// The same address as the database keeps it.
    pub kept: Vec<u8>,
    /// The same address as a keyed hash, for reservations and receipts.
    pub recipient: String,
    pub message: PushMessage,
    pub person: PersonId,
}

impl PushTask {
    /// The template whose consent is held for the message, if it needs one.
    pub fn held_template(&self) -> Option<String> {
        (self.message.consent != Consent::NotNeeded).then(|| self.message.template.clone())
    }
}

/// What a push finds when it begins.
#[derive(Debug, Clone)]
pub enum Prepared {
    Ready(Box<PushTask>),
    /// The person cannot or does not want to be reached on the channel any more.
    Unreachable,
    /// The notification came over another channel, or was passed on to one.
    NoNeed,
}

/// What pushes find when they begin, by job. A failure of one does not concern the others.
pub type PreparedPushes = BTreeMap<JobId, Result<Prepared, StoreError>>;

/// A one-time code that is ready to be sent.
#[derive(Debug, Clone)]
pub struct LoginCodeTask {
    pub phone: Private<String>,
    pub code: Private<String>,
    /// When the code was requested.
    pub created_at: Instant,
}

/// What a sweep found.
#[derive(Debug)]
pub struct Swept {
    /// All jobs to be offered.
    pub offers: Vec<Offer>,
    /// How many of these lost their ring; the others fell due.
    pub lost: usize,
}

/// The event that a push of unknown outcome waits for: a receipt to this recipient for this template.
pub fn receipt_event(channel: &ChannelCode, recipient: &str, template: &str) -> String {
    format!("receipt:{channel}:{recipient}:{template}")
}
