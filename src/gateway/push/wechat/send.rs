//! Sends one subscribe message (微信《发送订阅消息》, `subscribeMessage.send`).

use reqwest::Method;
use serde_json::{Map, Value, json};

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

pub fn form(openid: &Private<String>, message: &PushMessage, state: MiniprogramState) -> Value {
    let fields = message.fields.iter().map(|(name, text)| (name.clone(), json!({"value": fit(name, text)})));
    let mut form = json!({
        "touser": openid,
        "template_id": message.template,
        "miniprogram_state": state,
        "lang": match message.language {
            Language::Chinese => "zh_CN",
            Language::English => "en_US",
        },
        "data": fields.collect::<Map<_, _>>(),
    });
    if let Some(page) = &message.page {
        form["page"] = json!(page);
    }
    form
}

pub async fn post(http: &Http, token: &AccessToken, form: &Value) -> Result<HttpAnswer, HttpFault> {
    let path = "/cgi-bin/message/subscribe/send";
    http.send(http.request(Method::POST, path).query(&[("access_token", token.expose())]).json(form)).await
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// WeChat refused the access token and did not process the message.
    TokenRejected(WechatReply),
    Settled(PushReport),
}

/// Turns an answer into an outcome. The code in the body decides, because WeChat reports errors with HTTP 200.
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
