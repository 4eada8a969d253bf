//! Sends one subscribe message (微信《发送订阅消息》, `subscribeMessage.send`).

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Serialize;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::PushMessage;
use crate::gateway::push::{PushFact, PushReport};
use crate::gateway::shared::http::{Http, HttpAnswer, HttpFault};
use crate::gateway::shared::wechat::WechatReply;

use super::answer::fact;
use super::fields::fit;
use super::settings::MiniprogramState;
use super::token::AccessToken;

/// The body of the call.
#[derive(Serialize)]
pub struct SubscribeMessage<'a> {
    touser: &'a Private<String>,
    template_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
    miniprogram_state: &'static str,
    lang: &'static str,
    data: BTreeMap<&'a str, Field>,
}

#[derive(Serialize)]
struct Field {
    value: String,
}

impl<'a> SubscribeMessage<'a> {
    /// Puts a message into WeChat's form.
    pub fn new(openid: &'a Private<String>, message: &'a PushMessage, state: MiniprogramState) -> Self {
        let data = message.fields.iter().map(|(name, text)| (name.as_str(), Field { value: fit(name, text) }));
        Self {
            touser: openid,
            template_id: &message.template,
            page: message.page.as_deref(),
            miniprogram_state: state.as_str(),
            lang: match message.language {
                Language::Chinese => "zh_CN",
                Language::English => "en_US",
            },
            data: data.collect(),
        }
    }

    /// # Errors
    /// Those of [`Http::send`].
    pub async fn post(&self, http: &Http, token: &AccessToken) -> Result<HttpAnswer, HttpFault> {
        let path = "/cgi-bin/message/subscribe/send";
        let request = http.request(Method::POST, path).query(&[("access_token", token.expose())]);
        http.send(request.json(self)).await
    }
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// WeChat refused the access token and did not look at the message.
    TokenRejected(WechatReply),
    Settled(PushReport),
}

/// Reads the answer's body before its status: WeChat reports errors with HTTP 200.
pub fn understand(answer: Result<HttpAnswer, HttpFault>, now: Instant) -> SendOutcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return SendOutcome::Settled(fault.into()),
    };
    match WechatReply::read(&answer.body) {
        Some(reply) if reply.token_rejected() => SendOutcome::TokenRejected(reply),
        Some(reply @ WechatReply { code: Some(code), .. }) => {
            let fact = match fact(code, now) {
                None => return SendOutcome::Settled(PushReport::unexplained(reply.detail())),
                Some(PushFact::Delivered { .. }) => {
                    PushFact::Delivered { reference: reply.msgid.map(|id| id.to_string()) }
                }
                Some(other) => other,
            };
            SendOutcome::Settled(PushReport::new(fact, reply.detail()).about(reply.objection()))
        }
        _ => SendOutcome::Settled(PushReport::of_unreadable(&answer)),
    }
}
