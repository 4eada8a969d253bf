//! Channels (渠道): ways to reach a phone. One folder each; `registry.rs` names them all.

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

pub use crate::gateway::shared::callback::{Acknowledgement, CallbackFault, RawCallback};
use crate::gateway::shared::http::{Answer, HttpFault};
use crate::gateway::shared::probe::Probe;

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

impl PushFact {
    /// The same, where it is told of a message that the gateway had taken.
    #[must_use]
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
    Receipt(PushReceipt),
}

impl PushNews {
    /// Whether it can be what it says.
    #[must_use]
    pub fn is_sound(&self, now: Instant) -> bool {
        let (words, at): (&[&String], _) = match self {
            Self::Consent { template, at, .. } => (&[template], Some(at)),
            Self::Receipt(receipt) => match &receipt.of {
                ReceiptOf::Key(key) => (&[key], None),
                ReceiptOf::Message { reference, template, at } => (&[reference, template], Some(at)),
            },
        };
        words.iter().all(|word| is_storable(word, LONGEST_NUMBER)) && at.is_none_or(|at| can_have_happened(*at, now))
    }
}

/// What became of a message that a gateway had taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReceipt {
    /// To whom it went.
    pub address: Private<String>,
    /// Of which message.
    pub of: ReceiptOf,
    /// What became of it.
    pub fate: Fate,
    /// The gateway's own words (codes, never personal data).
    pub detail: String,
}

/// By what a receipt names its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptOf {
    /// By our key.
    Key(String),
    /// By the gateway's own id, which its answer had named, if there was one.
    Message {
        reference: String,
        /// The template's id at the gateway.
        template: String,
        /// When it was sent, by the gateway's clock.
        at: Instant,
    },
}

/// What may be done after an ambiguous attempt. Each gateway bears something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Repeat at will: the gateway knows our key and swallows the second copy.
    Deduplicated,
    /// The gateway tells of each message that it had taken, by an id that only its answer names. Where the person gave one
    /// consent for one message, repeat: one copy at the most is shown. Where they could see both, wait for the receipt of
    /// the first. A refusal may mean that the first copy used the consent up: its receipt confirms that.
    ConsentTells,
    /// Ask first ([`PushChannel::find`]); repeat only when nothing is found.
    AskFirst,
}

/// What a look-up by our key found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The gateway has it.
    Yes,
    /// The gateway had it, and did not bring it: what it would have answered, had it known.
    Failed(PushReport),
    /// The gateway has nothing under our key, so far.
    No,
    /// No answer, or the gateway cannot tell.
    Unknown,
}

/// A way to reach a phone.
#[async_trait]
pub trait PushChannel: Send + Sync {
    fn code(&self) -> &ChannelCode;

    /// By what it finds a person.
    fn address_kind(&self) -> AddressKind;

    /// How fast it may be called.
    fn pace(&self) -> Pace;

    /// What may be done after an ambiguous attempt.
    fn repeat(&self) -> Repeat;

    /// Whether two messages to one address must not be under way at once (WeChat's 43108).
    fn one_at_a_time(&self) -> bool {
        false
    }

    /// How long one call may take at the most: a hand-over, or a look-up. An attempt has time for three.
    fn time_limit(&self) -> Duration;

    /// Hands one message to the gateway. Ends within [`Self::time_limit`].
    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport;

    /// Asks the gateway whether it has a message under our key, which may have been handed over at these moments.
    async fn find(&self, _to: &Private<String>, _key: &str, _handed_over: &[Instant]) -> Found {
        Found::Unknown
    }

    /// Asks whether the gateway answers and takes our account for good, without sending anything to anybody.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
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

    /// What of a call's query is kept: without what names a person. What [`PushChannel::read`] needs stays in it.
    fn kept_query(&self, query: &str) -> String {
        query.to_owned()
    }

    /// The answer that tells the gateway that the call is safely stored (`true`), or to call again (`false`).
    fn acknowledge(&self, stored: bool) -> Acknowledgement {
        Acknowledgement { status: if stored { 200 } else { 503 }, content_type: "text/plain", body: String::new() }
    }
}

/// What makes a channel of an installation's settings: `registry.rs` lists one for each.
#[derive(Clone, Copy)]
pub struct Adapter {
    /// Its name in settings, data and paths: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads its settings and builds its client. `None` where it is off, or where faults were left with the reader.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn PushChannel>>,
    /// What its gateway would refuse in a field of a template.
    pub field_fault: FieldFault,
}

/// The channels that this installation uses, in no order.
#[derive(Clone, Default)]
pub struct Channels(Vec<Arc<dyn PushChannel>>);

impl Channels {
    /// Builds those that are on.
    pub fn read(env: &mut Env, adapters: &[Adapter], clock: &Clock) -> Self {
        Self(adapters.iter().filter_map(|adapter| (adapter.build)(env, clock)).collect())
    }

    /// Reads in which order they are tried. One that is off is passed over.
    pub fn chain(&self, env: &mut Env, adapters: &[Adapter]) -> Option<Chain> {
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

    const ADAPTERS: [Adapter; 2] = [wechat::ADAPTER, sms_aliyun::ADAPTER];

    fn read(given: &[(&str, &str)]) -> (Channels, Env) {
        let mut env = Env::of(given.iter().copied());
        let channels = Channels::read(&mut env, &ADAPTERS, &Clock::system());
        (channels, env)
    }

    #[test]
    fn channels_that_are_off_are_not_there_and_those_on_say_what_they_miss() {
        let (channels, env) = read(&[("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_SMS_ALIYUN_ENABLED", "false")]);
        assert_eq!(channels.iter().count(), 0);
        assert!(env.faults().is_empty());

        let (channels, env) = read(&SMS);
        assert!(channels.get(&ChannelCode::new("sms_aliyun")).is_some());
        assert!(channels.get(&ChannelCode::new("wechat")).is_none());
        assert_eq!(env.faults().len(), 2, "{:?}", env.faults());
    }

    const SMS: [(&str, &str); 4] = [
        ("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "id"),
        ("SONGDA_SMS_ALIYUN_SECRET", "hush"),
        ("SONGDA_SMS_ALIYUN_SIGN_NAME", "某区政务"),
        ("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", "SMS_1"),
    ];

    #[test]
    fn the_chain_passes_over_what_is_off_and_knows_no_strangers() {
        let off = [("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_CHANNELS", "wechat, owl,sms_aliyun")];
        let (channels, mut env) = read(&[&SMS[..], &off].concat());
        let chain = channels.chain(&mut env, &ADAPTERS).unwrap();
        assert_eq!(chain.iter().map(ChannelCode::as_str).collect::<Vec<_>>(), ["sms_aliyun"]);
        assert!(matches!(env.faults(), [owl] if owl.contains("owl")), "{:?}", env.faults());
    }
}
