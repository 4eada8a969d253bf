//! Channels (渠道): ways to reach a phone. One folder each, one line in [`registry`] each.

pub mod sms_aliyun;
pub mod wechat;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;

use crate::domain::clock::{Clock, Instant};
use crate::domain::notification::{ChannelCode, KnownTemplate, Objection, PushMessage};
use crate::domain::pace::Pace;
use crate::domain::private::Private;
use crate::env::Env;

pub use super::callback::{Acknowledgement, CallbackFault, RawCallback};
use super::http::{Answer, HttpFault};

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
    /// The part of the message that it refused, where it named one: the message was surely not sent.
    pub objection: Option<Objection>,
    /// Whether it gave a code that nobody has described: surely not taken, and who knows whether it ever will be.
    pub unexplained: bool,
}

impl PushReport {
    /// A fact and its detail.
    pub fn new(fact: PushFact, detail: impl Into<String>) -> Self {
        Self { fact, detail: detail.into(), objection: None, unexplained: false }
    }

    /// The report of a refusal that nobody has described: neither delivered nor gone.
    pub fn unexplained(detail: impl Into<String>) -> Self {
        Self { unexplained: true, ..Self::new(PushFact::Unavailable, detail) }
    }

    /// The same report, about this part of the message.
    #[must_use]
    pub fn about(self, objection: Option<Objection>) -> Self {
        Self { objection, ..self }
    }

    /// An answer that is not in the gateway's form, such as a proxy's page: only the HTTP status says anything.
    #[must_use]
    pub fn of_unreadable(answer: &Answer) -> Self {
        let status = answer.status;
        let fact = if status == StatusCode::TOO_MANY_REQUESTS {
            PushFact::Throttled { after: answer.retry_after }
        } else if status.is_client_error() || status.is_redirection() {
            PushFact::Unavailable
        } else {
            PushFact::Ambiguous
        };
        Self::new(fact, format!("HTTP {} without a readable body", status.as_u16()))
    }
}

impl From<HttpFault> for PushReport {
    fn from(fault: HttpFault) -> Self {
        let fact = match fault {
            HttpFault::NotSent(_) => PushFact::Unavailable,
            HttpFault::Unclear(_) => PushFact::Ambiguous,
        };
        Self::new(fact, fault.to_string())
    }
}

/// What a gateway tells us on its own account. It may tell it twice, late, or in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushNews {
    /// A person consented to a template's messages, or withdrew that.
    Consent {
        /// Who, by the address on this channel.
        address: Private<String>,
        /// The template's id at the gateway.
        template: String,
        /// Whether messages are wanted.
        accepted: bool,
        /// When. With the address and the template it names the act: the same act told twice counts once.
        at: Instant,
    },
    /// What became of a message that the gateway had taken.
    Receipt {
        /// To whom it went.
        address: Private<String>,
        /// The gateway's id for the message.
        reference: Option<String>,
        /// Our key for it, where the gateway keeps one.
        key: Option<String>,
        /// What became of it.
        fact: PushFact,
        /// The gateway's own words (codes, never personal data).
        detail: String,
    },
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

    /// How fast it may be called.
    fn pace(&self) -> Pace;

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

    /// The templates that the gateway holds for our account; `None` where it cannot list them.
    ///
    /// # Errors
    /// What it reports instead. Lists are rationed: ask when a person asks, not at every start.
    async fn templates(&self) -> Option<Result<Vec<KnownTemplate>, PushReport>> {
        None
    }

    /// The template for one-time sign-in codes, where the channel carries them. Its only field is `code`.
    fn login_template(&self) -> Option<&str> {
        None
    }

    /// The answer to the gateway's question whether a callback address is ours; `None` if the question is not the
    /// gateway's.
    fn challenge(&self, _query: &str) -> Option<String> {
        None
    }

    /// Reads a call: checks what can be checked, and returns the news in it.
    ///
    /// # Errors
    /// When the call is not the gateway's, or not readable. A channel that is never called refuses every call.
    fn read(&self, _call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        Err(CallbackFault::NotAuthentic)
    }

    /// The answer that tells the gateway that the call is safely stored (`true`), or to call again (`false`).
    fn acknowledge(&self, stored: bool) -> Acknowledgement {
        Acknowledgement { status: if stored { 200 } else { 503 }, content_type: "text/plain", body: String::new() }
    }
}

/// Builds the channels that are enabled. Faulty settings are left with `env`.
pub fn registry(env: &mut Env, clock: &Clock) -> Channels {
    type Build = fn(&mut Env, &Clock) -> Option<Arc<dyn PushChannel>>;
    let channels: &[Build] = &[
        wechat::channel,     // 微信订阅消息
        sms_aliyun::channel, // 阿里云短信
    ];
    Channels(channels.iter().filter_map(|build| build(env, clock)).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_are_off_are_not_there_and_those_on_say_what_they_miss() {
        let clock = Clock::frozen("2026-01-02T04:00:00Z".parse().unwrap());
        let mut env = Env::of([("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_SMS_ALIYUN_ENABLED", "false")]);
        assert_eq!(registry(&mut env, &clock).iter().count(), 0);
        assert!(env.faults().is_empty());

        let mut env = Env::of([
            ("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "id"),
            ("SONGDA_SMS_ALIYUN_SECRET", "hush"),
            ("SONGDA_SMS_ALIYUN_SIGN_NAME", "某区政务"),
            ("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", "SMS_1"),
        ]);
        let channels = registry(&mut env, &clock);
        assert!(channels.get(&ChannelCode::new("sms_aliyun")).is_some());
        assert!(channels.get(&ChannelCode::new("wechat")).is_none());
        assert_eq!(env.faults().len(), 2, "{:?}", env.faults());
    }
}
