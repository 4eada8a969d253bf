//! WeChat subscribe messages (微信订阅消息) of a mini-program. The address is the person's openid.
//!
//! WeChat accepts no key from the sender of a message, so Songda cannot look a message up. If the outcome of a send is
//! unknown, only WeChat's receipt, a callback for each accepted message, shows it ([`crate::domain::work::doubt`]).

mod answer;
mod callback;
mod cipher;
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
use serde_json::Value;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, KnownTemplate, PushMessage};
use crate::domain::notice::reach::AddressKind;
use crate::env::Env;
use crate::gateway::shared::http::Http;
use crate::gateway::shared::probe::Probe;
use crate::gateway::shared::wechat::WechatReply;

use super::{
    Acknowledgement, CallbackAccess, CallbackFault, ChannelAdapter, PushChannel, PushFact, PushNews, PushReport,
    RawCallback, Repeat,
};
use callback::CallbackReader;
use send::{SendOutcome, understand};
use settings::{MiniprogramState, WechatSettings};
use token::{AccessToken, AccessTokens};

pub const ADAPTER: ChannelAdapter = ChannelAdapter { code: "wechat", build, field_fault: patterns::fault };

/// The wait before a retry if WeChat rejects an access token but still issues the same token.
const TOKEN_SETTLES_IN: Duration = Duration::from_secs(5);

struct Wechat {
    code: ChannelCode,
    pace: Pace,
    http: Http,
    tokens: AccessTokens,
    state: MiniprogramState,
    callbacks: Option<CallbackReader>,
    access: Option<CallbackAccess>,
    clock: Clock,
}

fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn PushChannel>> {
    Some(Arc::new(Wechat::new(WechatSettings::read(env)?, clock.clone())))
}

impl Wechat {
    fn new(settings: WechatSettings, clock: Clock) -> Self {
        let WechatSettings { account, pace, state, callbacks, access } = settings;
        let callbacks = callbacks.map(|settings| CallbackReader { settings, appid: account.appid.clone() });
        let http = account.http.clone();
        let tokens = AccessTokens::new(account, clock.clone());
        Self { code: ChannelCode::new(ADAPTER.code), pace, http, tokens, state, callbacks, access, clock }
    }

    /// Sends with the current token. If WeChat rejects the token, sends once more with a new one. `under_way` is true
    /// while WeChat may be processing the message.
    async fn deliver(&self, form: &Value, under_way: &mut bool) -> Result<PushReport, PushReport> {
        let token = self.tokens.current().await?;
        let rejection = match self.post(form, &token, under_way).await {
            SendOutcome::Settled(report) => return Ok(report),
            SendOutcome::TokenRejected(reply) => reply.detail(),
        };
        let renewed = self.tokens.renewed(&token).await?;
        if renewed == token {
            let fact = PushFact::Throttled { after: Some(TOKEN_SETTLES_IN) };
            let report = PushReport::new(fact, format!("{rejection}, for a token that WeChat still gives out"));
            return Ok(PushReport { unexplained: true, ..report });
        }
        Ok(match self.post(form, &renewed, under_way).await {
            SendOutcome::Settled(report) => report,
            SendOutcome::TokenRejected(reply) => {
                PushReport::new(PushFact::Misconfigured, format!("{}, for a fresh token", reply.detail()))
            }
        })
    }

    async fn list_templates(&self) -> Result<Vec<KnownTemplate>, PushReport> {
        let token = self.tokens.current().await?;
        let mut answer = templates::fetch(&self.http, &token).await;
        if let Ok(rejected) = &answer
            && WechatReply::read(&rejected.body).is_some_and(|reply| reply.token_rejected())
        {
            let renewed = self.tokens.renewed(&token).await?;
            answer = templates::fetch(&self.http, &renewed).await;
        }
        let known = answer.as_ref().ok().and_then(|answer| templates::read(&answer.body));
        known.ok_or_else(|| match understand(answer, self.clock.now()) {
            SendOutcome::Settled(report) => report,
            SendOutcome::TokenRejected(reply) => PushReport::new(PushFact::Misconfigured, reply.detail()),
        })
    }

    async fn post(&self, form: &Value, token: &AccessToken, under_way: &mut bool) -> SendOutcome {
        *under_way = true;
        let answer = send::post(&self.http, token, form).await;
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

    /// The time-out of a whole send, including the fetch of a token.
    fn time_limit(&self) -> Duration {
        self.http.time_limit()
    }

    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport {
        let form = send::form(to, message, self.state);
        let mut under_way = false;
        match tokio::time::timeout(self.time_limit(), self.deliver(&form, &mut under_way)).await {
            Ok(Ok(report) | Err(report)) => report,
            Err(_) if under_way => PushReport::new(PushFact::Ambiguous, "no answer in time"),
            Err(_) => PushReport::new(PushFact::Unavailable, "no access token in time"),
        }
    }

    /// Gets an access token. `songda doctor` has no token yet, so it fetches one, and WeChat then checks our secret.
    /// The token that other processes use stays valid.
    async fn probe(&self) -> Probe {
        match tokio::time::timeout(self.time_limit(), self.tokens.current()).await {
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

    fn callback_access(&self) -> Option<&CallbackAccess> {
        self.access.as_ref()
    }

    /// In plain mode WeChat's signature does not cover the content.
    fn signs_callbacks(&self) -> bool {
        self.callbacks.as_ref().is_some_and(CallbackReader::is_encrypted)
    }

    fn kept_query(&self, query: &str) -> String {
        callback::without_openid(query)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        let callbacks = self.callbacks.as_ref().ok_or(CallbackFault::NotAuthentic)?;
        callback::news(&callbacks.open(call)?, self.clock.now())
    }

    fn acknowledge(&self, taken: bool) -> Acknowledgement {
        let (status, body) = if taken { (200, "success") } else { (503, "") };
        Acknowledgement { status, content_type: "text/plain", body: body.to_owned() }
    }
}

#[cfg(test)]
mod tests;
