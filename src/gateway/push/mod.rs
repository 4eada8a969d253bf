//! Channels (渠道): ways to reach a phone. One folder each, one line in [`registry`] each.

pub mod sms_aliyun;
pub mod wechat;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::notification::{ChannelCode, PushMessage};
use crate::domain::private::Private;

/// What became of one attempt to reach a phone. A fact, not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushFact {
    /// The gateway took it. Its id for the message, where it gives one.
    Delivered {
        /// The gateway's id for the message.
        reference: Option<String>,
    },
    /// This address reaches nobody any more: drop it.
    Gone,
    /// The person does not want it here (no consent, opted out): another channel may.
    Refused,
    /// Too fast. Not before this long, where the gateway says or documents it.
    Throttled {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// It surely was not taken, and may be later.
    Unavailable,
    /// Nothing will change until somebody mends our account, template or message.
    Misconfigured,
    /// It may have been taken: the request left and no answer, or no sensible one, came.
    Ambiguous,
}

/// One attempt's fact, with the gateway's own words for the record (codes and request ids, never personal data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReport {
    /// What became of it.
    pub fact: PushFact,
    /// The gateway's code and request id, for people.
    pub detail: String,
}

impl PushReport {
    /// A fact and its detail.
    pub fn new(fact: PushFact, detail: impl Into<String>) -> Self {
        Self { fact, detail: detail.into() }
    }
}

/// What may be done after an ambiguous attempt. Each gateway documents its own (`push.md` §0.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Repeat at will: the gateway knows our key and swallows the second copy.
    Deduplicated,
    /// Repeat once: where the message needs a one-time consent, a refusal then means that the first copy used it
    /// up, and so was delivered. Where consent lasts, a repeat may show twice, so it waits for a receipt first.
    ConsentTells,
    /// Ask first ([`PushChannel::find`]); repeat only when nothing is found.
    AskFirst,
}

/// What a look-up by our key found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The gateway has it.
    Yes,
    /// The gateway has nothing under our key, so far.
    No,
    /// No answer, or the gateway cannot tell.
    Unknown,
}

/// A way to reach a phone.
#[async_trait]
pub trait PushChannel: Send + Sync {
    /// Its name.
    fn code(&self) -> &ChannelCode;

    /// What may be done after an ambiguous attempt.
    fn repeat(&self) -> Repeat;

    /// Whether two messages to one address must not be under way at once (WeChat's 43108).
    fn one_at_a_time(&self) -> bool {
        false
    }

    /// Hands one message to the gateway. Ends within the time-out that the channel was built with.
    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport;

    /// Asks the gateway whether it has a message under our key.
    async fn find(&self, _to: &Private<String>, _message: &PushMessage) -> Found {
        Found::Unknown
    }
}

/// The channels that this installation uses, in no order.
#[derive(Clone, Default)]
pub struct Channels(Vec<Arc<dyn PushChannel>>);

impl Channels {
    /// These channels.
    #[must_use]
    pub fn new(channels: Vec<Arc<dyn PushChannel>>) -> Self {
        Self(channels)
    }

    /// The channel of a name.
    #[must_use]
    pub fn get(&self, code: &ChannelCode) -> Option<&Arc<dyn PushChannel>> {
        self.0.iter().find(|channel| channel.code() == code)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn PushChannel>> {
        self.0.iter()
    }
}
