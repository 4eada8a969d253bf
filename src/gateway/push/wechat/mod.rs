//! WeChat subscribe messages (微信订阅消息) of a mini-program. The address is the person's openid.
//!
//! WeChat has no key of ours for a message. What became of one in doubt its receipt tells; a refusal alone proves nothing
//! ([`crate::domain::work::doubt`]).

mod answer;
mod callback;
mod fields;
mod patterns;
#[cfg(feature = "development")]
pub mod sandbox;
mod send;
mod settings;
mod templates;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, KnownTemplate, PushMessage};
use crate::domain::notice::reach::AddressKind;
use crate::env::Env;
use crate::gateway::shared::http::Http;
use crate::gateway::shared::probe::Probe;

use super::{
    Acknowledgement, Adapter, CallbackFault, PushChannel, PushFact, PushNews, PushReport, RawCallback, Repeat,
};
use callback::Callbacks;
use send::{Sent, SubscribeMessage, understand};
use token::Tokens;

pub use answer::Said;
pub use settings::{Account, CallbackSettings, MiniprogramState, Settings};

/// The channel, as `registry.rs` knows it.
pub const ADAPTER: Adapter = Adapter { code: "wechat", build, field_fault: patterns::fault };

/// How long WeChat is given to make up its mind about a token that it rejects and gives out at once.
const TOKEN_SETTLES_IN: Duration = Duration::from_secs(5);

pub struct Wechat {
    code: ChannelCode,
    pace: Pace,
    http: Http,
    /// For a whole send, its token included.
    time_limit: Duration,
    tokens: Tokens,
    state: MiniprogramState,
    callbacks: Option<Callbacks>,
    clock: Clock,
}

/// Builds the channel from the settings.
fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn PushChannel>> {
    let settings = Settings::read(env)?;
    match Wechat::new(settings, clock.clone()) {
        Ok(channel) => Some(Arc::new(channel)),
        Err(error) => {
            env.fault(format!("no HTTP client for WeChat: {error}"));
            None
        }
    }
}

impl Wechat {
    /// The channel with these settings.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        let Settings { account, pace, state, callbacks } = settings;
        let http = Http::new(&account.http)?;
        let time_limit = account.http.timeout;
        let callbacks = callbacks.map(|settings| Callbacks::new(settings, account.appid.clone()));
        let tokens = Tokens::new(http.clone(), account, clock.clone());
        Ok(Self { code: ChannelCode::new(ADAPTER.code), pace, http, time_limit, tokens, state, callbacks, clock })
    }

    /// Sends with the token at hand, and once more with a new one if WeChat rejects it. `under_way` is true while
    /// WeChat may be at work on the message.
    async fn deliver(&self, message: &SubscribeMessage<'_>, under_way: &mut bool) -> Result<PushReport, PushReport> {
        let token = self.tokens.current().await?;
        let rejection = match self.post(message, &token, under_way).await {
            Sent::Settled(report) => return Ok(report),
            Sent::TokenRejected(said) => said.detail(),
        };
        let renewed = self.tokens.renewed(&token).await?;
        if renewed == token {
            let fact = PushFact::Throttled { after: Some(TOKEN_SETTLES_IN) };
            let report = PushReport::new(fact, format!("{rejection}, for a token that WeChat still gives out"));
            return Ok(PushReport { unexplained: true, ..report });
        }
        Ok(match self.post(message, &renewed, under_way).await {
            Sent::Settled(report) => report,
            Sent::TokenRejected(said) => {
                PushReport::new(PushFact::Misconfigured, format!("{}, for a fresh token", said.detail()))
            }
        })
    }

    async fn list_templates(&self) -> Result<Vec<KnownTemplate>, PushReport> {
        let token = self.tokens.current().await?;
        let mut answer = templates::fetch(&self.http, &token).await;
        if let Ok(rejected) = &answer
            && Said::read(&rejected.body).is_some_and(|said| said.token_rejected())
        {
            let renewed = self.tokens.renewed(&token).await?;
            answer = templates::fetch(&self.http, &renewed).await;
        }
        let known = answer.as_ref().ok().and_then(|answer| templates::read(&answer.body));
        known.ok_or_else(|| match understand(answer, self.clock.now()) {
            Sent::Settled(report) => report,
            Sent::TokenRejected(said) => PushReport::new(PushFact::Misconfigured, said.detail()),
        })
    }

    async fn post(&self, message: &SubscribeMessage<'_>, token: &token::Token, under_way: &mut bool) -> Sent {
        *under_way = true;
        let answer = message.post(&self.http, token).await;
        *under_way = false;
        understand(answer, self.clock.now())
    }
}

#[async_trait]
impl PushChannel for Wechat {
    fn code(&self) -> &ChannelCode {
        &self.code
    }

    fn address_kind(&self) -> AddressKind {
        AddressKind::WechatAccount
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn repeat(&self) -> Repeat {
        Repeat::ConsentTells
    }

    fn one_at_a_time(&self) -> bool {
        true
    }

    fn time_limit(&self) -> Duration {
        self.time_limit
    }

    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport {
        let message = SubscribeMessage::new(to, message, self.state);
        let mut under_way = false;
        match tokio::time::timeout(self.time_limit, self.deliver(&message, &mut under_way)).await {
            Ok(Ok(report) | Err(report)) => report,
            Err(_) if under_way => PushReport::new(PushFact::Ambiguous, "no answer in time"),
            Err(_) => PushReport::new(PushFact::Unavailable, "no access token in time"),
        }
    }

    /// An access token is given to whoever knows the secret, and the one in use stays good.
    async fn probe(&self) -> Probe {
        match tokio::time::timeout(self.time_limit, self.tokens.current()).await {
            Ok(Ok(_)) => Probe::Well,
            Ok(Err(report)) => report.into(),
            Err(_) => Probe::Silent("no access token in time".to_owned()),
        }
    }

    async fn templates(&self) -> Option<Result<Vec<KnownTemplate>, PushReport>> {
        Some(self.list_templates().await)
    }

    fn challenge(&self, query: &str) -> Option<String> {
        self.callbacks.as_ref()?.challenge(query)
    }

    fn kept_query(&self, query: &str) -> String {
        callback::without_openid(query)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        let callbacks = self.callbacks.as_ref().ok_or(CallbackFault::NotAuthentic)?;
        callback::news(&callbacks.open(call)?, self.clock.now())
    }

    fn acknowledge(&self, stored: bool) -> Acknowledgement {
        let (status, body) = if stored { (200, "success") } else { (503, "") };
        Acknowledgement { status, content_type: "text/plain", body: body.to_owned() }
    }
}

#[cfg(test)]
mod tests;
