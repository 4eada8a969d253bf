//! A person's consent to messages, per message template, as WeChat requires for its subscribe messages.

use std::collections::BTreeMap;

use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::{Answered, Body, FieldError, OptionalKey, Person, Problem, example};
use crate::casework::frame::idempotency::Answer;
use crate::casework::people::People;
use crate::casework::people::consents::{ConsentStanding, ReportError};
use crate::domain::notice::consent::ConsentAnswer;
use crate::domain::notice::notification::{ChannelCode, Consent};

pub struct MobileConsents(pub People);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Consents")]
impl MobileConsents {
    /// 订阅消息列表 · List consents
    ///
    /// Lists the templates that need consent, in the person's language. `should_ask` marks the templates for which the
    /// client should ask the person for consent at the next tap on a button.
    #[oai(path = "/consents", method = "get", operation_id = "list_consents")]
    async fn list(&self, person: Person) -> Result<Json<ConsentList>, Problem> {
        Ok(Json(ConsentList::of(&self.0.consents().list(person.id).await?)))
    }

    /// 上报订阅结果 · Report consents
    ///
    /// Reports the person's choices. Each `accept` for a one-time template allows one message.
    #[oai(path = "/consents", method = "post", operation_id = "report_consents")]
    async fn report(
        &self,
        person: Person,
        idempotency_key: OptionalKey,
        body: Body<ConsentReport>,
    ) -> Result<Answered<Json<ConsentList>>, Problem> {
        let once = idempotency_key.once(person.id, "report_consents", body.raw());
        let ConsentReport { channel, results } = body.into_inner();
        let answers: Vec<_> = results.into_iter().collect();
        let answer = |standing: &[_]| {
            Answer::from(HttpAnswer::new(200, ConsentList::of(standing).to_json().unwrap_or_default()))
        };
        let channel = ChannelCode::new(channel);
        Ok(self.0.consents().report(person.id, &channel, &answers, once.as_ref(), answer).await?.into())
    }
}

/// 订阅结果。 The person's choices.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ConsentReport {
    /// 渠道: `wechat`.
    #[oai(validator(max_length = 30))]
    channel: String,
    /// Template id → choice, as `wx.requestSubscribeMessage` returns it.
    #[oai(validator(min_properties = 1, max_properties = 20))]
    results: BTreeMap<String, ConsentAnswer>,
}

example!(ConsentReport {
    channel: "wechat".to_owned(),
    results: [("qL1bX0n3y2zT4v5w6u7s8r9p0oAbCdEfGhIjKlMnOpQ".to_owned(), ConsentAnswer::Accept)].into(),
});

/// 订阅状态。 The consent of a person to a template.
#[derive(Object)]
#[oai(rename = "Consent", example)]
struct ConsentBody {
    /// 渠道
    channel: String,
    /// The gateway's id of the template.
    template: String,
    /// The events that the template announces.
    events: Vec<String>,
    kind: Consent,
    /// The number of messages that the consent still allows; 0 if the consent is not limited to a number.
    balance: u32,
    /// True if the client should ask the person for consent at the next tap on a button.
    should_ask: bool,
}

impl From<&ConsentStanding> for ConsentBody {
    fn from(standing: &ConsentStanding) -> Self {
        let template = &standing.template;
        Self {
            channel: template.channel.to_string(),
            template: template.template.clone(),
            events: template.events.iter().map(|event| event.as_str().to_owned()).collect(),
            kind: template.kind,
            balance: standing.balance.balance,
            should_ask: standing.balance.should_ask(template),
        }
    }
}

example!(ConsentBody {
    channel: "wechat".to_owned(),
    template: "qL1bX0n3y2zT4v5w6u7s8r9p0oAbCdEfGhIjKlMnOpQ".to_owned(),
    events: vec!["granted".to_owned(), "denied".to_owned()],
    kind: Consent::OneTime,
    balance: 1,
    should_ask: true,
});

/// 订阅列表。 All templates in the person's language.
#[derive(Object)]
struct ConsentList {
    data: Vec<ConsentBody>,
}

impl ConsentList {
    fn of(standing: &[ConsentStanding]) -> Self {
        Self { data: standing.iter().map(ConsentBody::from).collect() }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::UnknownTemplates(ids) => {
                let fault = |id: String| {
                    let pointer = format!("/results/{}", id.replace('~', "~0").replace('/', "~1"));
                    FieldError::new(pointer, "unknown_template", "没有这个模板", "There is no such template")
                };
                Self::invalid(ids.into_iter().map(fault))
            }
            ReportError::Idempotency(error) => error.into(),
            ReportError::Store(error) => error.into(),
        }
    }
}
