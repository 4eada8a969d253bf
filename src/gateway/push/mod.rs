//! Channels (渠道): gateways that send messages to a person's phone. Each channel has a folder and a line in
//! `registry.rs`. docs/adding-a-channel.md says what a folder contains.

pub mod sms_aliyun;
pub mod wechat;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;

use crate::catalog::FieldFault;
use crate::domain::kernel::clock::{Clock, Instant, can_have_happened};
use crate::domain::kernel::foreign::{LONGEST_NUMBER, is_storable};
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, KnownTemplate, Objection, PushMessage};
use crate::domain::notice::reach::{AddressKind, Chain, Link};
use crate::domain::work::doubt::Fate;
use crate::env::Env;

pub use crate::gateway::shared::callback::{
    Acknowledgement, CallbackAccess, CallbackFault, CallbackNames, RawCallback,
};
use crate::gateway::shared::http::{HttpAnswer, HttpFault};
use crate::gateway::shared::probe::Probe;

/// The outcome of one attempt to send a message to a phone. The worker decides the consequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushFact {
    Delivered {
        /// The gateway's id for the message, if the gateway returned an id.
        reference: Option<String>,
    },
    /// The address does not reach the person any more.
    Gone,
    /// The person does not want messages here (no consent, opted out). Another channel may reach them.
    Refused,
    Throttled {
        /// The minimum wait before the next attempt, if the gateway states or documents it.
        after: Option<Duration>,
    },
    /// The gateway certainly did not accept the message. A later attempt may succeed.
    Unavailable,
    /// The gateway refuses our account, template or message. A retry does not help until an operator has corrected the
    /// cause.
    Misconfigured,
    /// The gateway may have accepted the message: the request was sent, but no answer or an unreadable one came.
    Ambiguous,
}

impl PushFact {
    /// Returns the fate of an accepted message if its receipt reports this fact.
    pub const fn fate(&self) -> Fate {
        match self {
            Self::Delivered { .. } => Fate::Arrived,
            Self::Refused => Fate::Refused,
            Self::Gone | Self::Throttled { .. } | Self::Unavailable | Self::Misconfigured | Self::Ambiguous => {
                Fate::Lost
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReport {
    pub fact: PushFact,
    /// The gateway's code and request id, for operators. Never personal data.
    pub detail: String,
    /// The part of the message that the gateway refused, if the gateway named that part: the page that a tap on the
    /// message opens, or a field. In that case the message was certainly not sent.
    pub objection: Option<Objection>,
    /// True if the gateway refused the message with an undocumented code: a retry may never help.
    pub unexplained: bool,
}

impl PushReport {
    pub fn new(fact: PushFact, detail: impl Into<String>) -> Self {
        Self { fact, detail: detail.into(), objection: None, unexplained: false }
    }

    pub fn unexplained(detail: impl Into<String>) -> Self {
        Self { unexplained: true, ..Self::new(PushFact::Unavailable, detail) }
    }

    #[must_use]
    pub fn about(self, objection: Option<Objection>) -> Self {
        Self { objection, ..self }
    }

    /// Builds the report on an answer that is not in the gateway's format, such as a proxy's page. The fact depends
    /// only on the HTTP status.
    pub fn of_unreadable(answer: &HttpAnswer) -> Self {
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

impl From<PushReport> for Probe {
    fn from(report: PushReport) -> Self {
        match report.fact {
            PushFact::Throttled { .. } => Self::Throttled,
            PushFact::Misconfigured => Self::Refused(report.detail),
            PushFact::Unavailable | PushFact::Ambiguous => Self::Silent(report.detail),
            PushFact::Delivered { .. } | PushFact::Gone | PushFact::Refused => Self::Well,
        }
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

/// One event that a callback reports. A gateway may report the same event twice, late, or in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushNews {
    /// A person gave or withdrew consent to a template's messages.
    Consent {
        /// The person's address on this channel.
        address: Private<String>,
        /// The template's id at the gateway.
        template: String,
        accepted: bool,
        /// The time at which the person gave or withdrew the consent. Two reports with the same address, template and
        /// time are about the same event, so they count once.
        at: Instant,
    },
    Receipt(PushReceipt),
}

impl PushNews {
    /// True if the event's texts can be stored and its time is plausible.
    pub fn is_sound(&self, now: Instant) -> bool {
        let (texts, at): (&[&String], _) = match self {
            Self::Consent { template, at, .. } => (&[template], Some(at)),
            Self::Receipt(receipt) => match &receipt.of {
                ReceiptOf::Key { key, reference: Some(reference) } => (&[key, reference], None),
                ReceiptOf::Key { key, reference: None } => (&[key], None),
                ReceiptOf::Message { reference, template, at } => (&[reference, template], Some(at)),
            },
        };
        texts.iter().all(|text| is_storable(text, LONGEST_NUMBER)) && at.is_none_or(|at| can_have_happened(*at, now))
    }
}

/// A gateway's report about an accepted message: whether it reached the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReceipt {
    pub address: Private<String>,
    pub of: ReceiptOf,
    pub fate: Fate,
    /// The gateway's code, for operators. Never personal data.
    pub detail: String,
}

/// How a receipt identifies its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptOf {
    /// By our key.
    Key {
        key: String,
        /// The gateway's id for the message, if the receipt contains it too.
        reference: Option<String>,
    },
    /// By the gateway's id for the message, which the gateway returned when Songda sent the message.
    Message {
        reference: String,
        /// The template's id at the gateway.
        template: String,
        /// The time of sending, by the gateway's clock.
        at: Instant,
    },
}

/// What the worker may do after an ambiguous attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Send the message again: the gateway recognises our key and drops the second copy.
    Deduplicated,
    /// The person's consent and the receipts decide. If the consent allows only one message, send the message again:
    /// the gateway delivers at most one copy. If the gateway refuses the second copy, the first copy may have used up
    /// the consent. In that case a receipt of the first copy will come. If the consent allows several messages, the
    /// person could see both copies. So wait for the receipt of the first copy before sending again.
    ConsentTells,
    /// Look the message up ([`PushChannel::find`]), and send it again only if the gateway does not have it.
    AskFirst,
}

/// The result of looking up a message at the gateway by our key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Yes,
    /// The gateway accepted the message and could not deliver it. The worker treats the report as if
    /// [`PushChannel::send`] had returned it.
    Failed(PushReport),
    /// The gateway has no message with our key so far.
    No,
    /// No answer came, or the answer does not show whether the gateway has the message.
    Unknown,
}

#[async_trait]
pub trait PushChannel: Send + Sync {
    fn code(&self) -> &ChannelCode;

    /// The kind of address by which the channel reaches a person.
    fn address_kind(&self) -> AddressKind;

    fn pace(&self) -> Pace;

    fn repeat(&self) -> Repeat;

    /// True if the gateway refuses a second message to an address while the first is being sent (WeChat's 43108).
    fn one_at_a_time(&self) -> bool {
        false
    }

    /// The time limit of one `send` or `find`. `SONGDA_ATTEMPT_TIMEOUT`, the time-out of one attempt at a job, is long
    /// enough for three such calls.
    fn time_limit(&self) -> Duration;

    /// Sends one message. Ends within [`Self::time_limit`].
    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport;

    /// Looks up a message by our key. `handed_over` are the times of all attempts to send it.
    async fn find(&self, _to: &Private<String>, _key: &str, _handed_over: &[Instant]) -> Found {
        Found::Unknown
    }

    /// Checks that the gateway answers and accepts our account, without sending a message.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }

    /// Lists the templates of our account; `None` if the gateway has no such list. WeChat allows this call only a few
    /// times a day, so only commands of operators may use it.
    async fn templates(&self) -> Option<Result<Vec<KnownTemplate>, PushReport>> {
        None
    }

    /// The template for sign-in codes, if the channel sends them. Its only field is `code`.
    fn login_template(&self) -> Option<&str> {
        None
    }

    /// Returns the answer to the gateway's check of our callback address; `None` if the query is not from the gateway.
    fn challenge(&self, _query: &str) -> Option<String> {
        None
    }

    /// The callers that may call back in the gateway's name; `None` if the gateway does not call back.
    fn callback_access(&self) -> Option<&CallbackAccess> {
        None
    }

    /// True if a callback proves that the gateway sent it: then [`Self::read`] returns [`CallbackFault::NotAuthentic`]
    /// for any other. If this is false, Songda stores a callback only if it names a message that Songda sent.
    fn signs_callbacks(&self) -> bool {
        false
    }

    /// Verifies a callback as far as possible, and returns its events. The default, for channels without callbacks,
    /// refuses every callback.
    fn read(&self, _call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        Err(CallbackFault::NotAuthentic)
    }

    /// Returns the part of a callback's query that Songda stores: all parameters that [`Self::read`] needs, without
    /// the person's address.
    fn kept_query(&self, query: &str) -> String {
        query.to_owned()
    }

    /// Returns the answer to a callback. `taken` is true if Songda has stored or used the callback. Otherwise the answer
    /// makes the gateway repeat the callback.
    fn acknowledge(&self, taken: bool) -> Acknowledgement {
        Acknowledgement { status: if taken { 200 } else { 503 }, content_type: "text/plain", body: String::new() }
    }
}

/// A channel's entry in `registry.rs`.
#[derive(Clone, Copy)]
pub struct ChannelAdapter {
    /// The channel's name in settings, data and paths: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads the channel's settings and builds its client; `None` if it is off or the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn PushChannel>>,
    /// Checks a field of a message template. Returns the reason why the gateway would refuse the field, if it would.
    pub field_fault: FieldFault,
}

/// The channels that are on in this installation.
#[derive(Clone, Default)]
pub struct Channels(Vec<Arc<dyn PushChannel>>);

impl Channels {
    pub fn read(env: &mut Env, adapters: &[ChannelAdapter], clock: &Clock) -> Self {
        Self(adapters.iter().filter_map(|adapter| (adapter.build)(env, clock)).collect())
    }

    /// Reads the setting with the order in which the worker tries channels. Leaves out channels that are off.
    pub fn chain(&self, env: &mut Env, adapters: &[ChannelAdapter]) -> Option<Chain> {
        let meaning = "channels in the order in which they are tried, separated by commas";
        let names: String = env.or("SONGDA_CHANNELS", "wechat,sms_aliyun", meaning)?;
        let mut links = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !adapters.iter().any(|adapter| adapter.code == name) {
                env.fault(format!("SONGDA_CHANNELS names {name}, which is not a known channel"));
            }
            let channel = self.get(&ChannelCode::new(name));
            links.extend(channel.map(|it| Link { channel: it.code().clone(), address: it.address_kind() }));
        }
        Some(Chain::new(links))
    }

    pub fn get(&self, code: &ChannelCode) -> Option<&Arc<dyn PushChannel>> {
        self.0.iter().find(|channel| channel.code() == code)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn PushChannel>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTERS: [ChannelAdapter; 2] = [wechat::ADAPTER, sms_aliyun::ADAPTER];

    fn read(given: &[(&str, &str)]) -> (Channels, Env) {
        let mut env = Env::of(given.iter().copied());
        let channels = Channels::read(&mut env, &ADAPTERS, &Clock::system());
        (channels, env)
    }

    #[test]
    fn a_channel_that_is_off_is_absent_and_one_that_is_on_needs_its_settings() {
        let (channels, env) = read(&[("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_SMS_ALIYUN_ENABLED", "false")]);
        assert_eq!(channels.iter().count(), 0);
        assert!(env.faults().is_empty());

        let (channels, env) = read(&SMS);
        assert!(channels.get(&ChannelCode::new("sms_aliyun")).is_some());
        assert!(channels.get(&ChannelCode::new("wechat")).is_none());
        assert_eq!(env.faults().len(), 2, "{:?}", env.faults());
    }

    const SMS: [(&str, &str); 5] = [
        ("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "id"),
        ("SONGDA_SMS_ALIYUN_SECRET", "hush"),
        ("SONGDA_SMS_ALIYUN_SIGN_NAME", "某区政务"),
        ("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", "SMS_1"),
        ("SONGDA_SMS_ALIYUN_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef"),
    ];

    #[test]
    fn the_chain_skips_channels_that_are_off_and_refuses_unknown_ones() {
        let off = [("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_CHANNELS", "wechat, owl,sms_aliyun")];
        let (channels, mut env) = read(&[&SMS[..], &off].concat());
        let chain = channels.chain(&mut env, &ADAPTERS).unwrap();
        assert_eq!(chain.iter().map(ChannelCode::as_str).collect::<Vec<_>>(), ["sms_aliyun"]);
        assert!(matches!(env.faults(), [owl] if owl.contains("owl")), "{:?}", env.faults());
    }
}
