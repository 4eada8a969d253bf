//! Sends one subscribe message (微信《发送订阅消息》, `subscribeMessage.send`).

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Serialize;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::PushMessage;
use crate::gateway::push::{PushFact, PushReport};
use crate::gateway::shared::http::{Answer, Http, HttpFault};

use super::answer::{Said, fact};
use super::fields::fit;
use super::settings::MiniprogramState;
use super::token::Token;

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
    /// Words a message as WeChat takes it.
    #[must_use]
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

    /// Sends it.
    ///
    /// # Errors
    /// Those of [`Http::send`].
    pub async fn post(&self, http: &Http, token: &Token) -> Result<Answer, HttpFault> {
        let path = "/cgi-bin/message/subscribe/send";
        let request = http.request(Method::POST, path).query(&[("access_token", token.expose())]);
        http.send(request.json(self)).await
    }
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// WeChat did not look at the message: it did not like the access token.
    TokenRejected(Said),
    Settled(PushReport),
}

/// Reads the answer, its body before its status: WeChat reports errors under HTTP 200.
#[must_use]
pub fn understand(answer: Result<Answer, HttpFault>, now: Instant) -> Sent {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return Sent::Settled(fault.into()),
    };
    match Said::read(&answer.body) {
        Some(said) if said.token_rejected() => Sent::TokenRejected(said),
        Some(said @ Said { code: Some(code), .. }) => {
            let fact = match fact(code, now) {
                None => return Sent::Settled(PushReport::unexplained(said.detail())),
                Some(PushFact::Delivered { .. }) => {
                    PushFact::Delivered { reference: said.msgid.map(|id| id.to_string()) }
                }
                Some(other) => other,
            };
            Sent::Settled(PushReport::new(fact, said.detail()).about(said.objection()))
        }
        _ => Sent::Settled(PushReport::of_unreadable(&answer)),
    }
}
