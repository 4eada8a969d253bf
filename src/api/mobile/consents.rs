//! Consent to messages, template by template, as WeChat's subscribe messages need it.

use std::collections::BTreeMap;

use poem_openapi::payload::Json;
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::idempotency::{Answered, OptionalKey};
use crate::casework::frame::idempotency::Answer;
use crate::casework::people::People;
use crate::casework::people::consents::{ConsentStanding, ReportError};
use crate::domain::kernel::text::Bilingual;
use crate::domain::notice::consent::ConsentAnswer;
use crate::domain::notice::notification::{ChannelCode, Consent};

/// The operations.
pub struct Consents(pub People);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Consents")]
impl Consents {
    /// Lists the templates that need consent in the person's language, and which of them to ask for at the next tap.
    #[oai(path = "/consents", method = "get", operation_id = "list_consents")]
    async fn list(&self, person: Person) -> Result<ConsentAnswers, Problem> {
        Ok(ConsentAnswers::Ok(Json(ConsentList::of(&self.0.consents().list(person.id).await?))))
    }

    /// Reports what the person answered: each accept of a one-time template is good for one message.
    #[oai(path = "/consents", method = "post", operation_id = "report_consents")]
    async fn report(
        &self,
        person: Person,
        idempotency_key: OptionalKey,
        body: Body<ConsentReport>,
    ) -> Result<Answered<ConsentAnswers>, Problem> {
        let once = idempotency_key.once(person.id, "report_consents", body.raw());
        let ConsentReport { channel, results } = body.into_inner();
        let answers: Vec<_> = results.into_iter().map(|(template, word)| (template, word.into())).collect();
        let answer = |standing: &[_]| {
            Answer::from(HttpAnswer::new(200, ConsentList::of(standing).to_json().unwrap_or_default()))
        };
        let channel = ChannelCode::new(channel);
        Ok(self.0.consents().report(person.id, &channel, &answers, once.as_ref(), answer).await?.into())
    }
}

/// What a person answered.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ConsentReport {
    /// 渠道: `wechat`.
    #[oai(validator(max_length = 30))]
    channel: String,
    /// Template id → answer, as `wx.requestSubscribeMessage` gave it.
    #[oai(validator(min_properties = 1, max_properties = 20))]
    results: BTreeMap<String, ConsentWord>,
}

impl Example for ConsentReport {
    fn example() -> Self {
        let results = [("qL1bX0n3y2zT4v5w6u7s8r9p0oAbCdEfGhIjKlMnOpQ".to_owned(), ConsentWord::Accept)];
        Self { channel: "wechat".to_owned(), results: results.into() }
    }
}

/// An answer.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ConsentAnswer", rename_all = "snake_case", remote = "ConsentAnswer")]
enum ConsentWord {
    /// Yes.
    Accept,
    /// No.
    Reject,
    /// The platform has banned the template.
    Ban,
    /// The platform hid the template behind another of the same title.
    Filter,
}

/// What one accept is worth.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ConsentKind", rename_all = "snake_case", remote = "Consent")]
enum KindWord {
    /// Nothing has to be asked.
    NotNeeded,
    /// 一次性订阅: one message.
    OneTime,
    /// 长期订阅: messages until it is withdrawn.
    LongTerm,
}

/// Where a person stands with a template.
#[derive(Object)]
#[oai(rename = "Consent", example)]
struct ConsentBody {
    /// 渠道
    channel: String,
    /// The template's id at the gateway.
    template: String,
    /// What it tells about.
    events: Vec<String>,
    /// What one accept is worth.
    kind: KindWord,
    /// How many messages are left; 0 where consent lasts.
    balance: u32,
    /// Whether to ask for it at the next tap.
    should_ask: bool,
}

impl From<&ConsentStanding> for ConsentBody {
    fn from(standing: &ConsentStanding) -> Self {
        let template = &standing.template;
        Self {
            channel: template.channel.to_string(),
            template: template.template.clone(),
            events: template.events.iter().map(|event| event.as_str().to_owned()).collect(),
            kind: template.kind.into(),
            balance: standing.balance.balance,
            should_ask: standing.balance.should_ask(template),
        }
    }
}

impl Example for ConsentBody {
    fn example() -> Self {
        Self {
            channel: "wechat".to_owned(),
            template: "qL1bX0n3y2zT4v5w6u7s8r9p0oAbCdEfGhIjKlMnOpQ".to_owned(),
            events: vec!["granted".to_owned(), "denied".to_owned()],
            kind: KindWord::OneTime,
            balance: 1,
            should_ask: true,
        }
    }
}

/// All templates of the person's language.
#[derive(Object)]
struct ConsentList {
    data: Vec<ConsentBody>,
}

impl ConsentList {
    fn of(standing: &[ConsentStanding]) -> Self {
        Self { data: standing.iter().map(ConsentBody::from).collect() }
    }
}

#[derive(ApiResponse)]
enum ConsentAnswers {
    /// Where the person stands.
    #[oai(status = 200)]
    Ok(Json<ConsentList>),
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::UnknownTemplates(ids) => {
                let fault = |id: String| {
                    let pointer = format!("/results/{}", id.replace('~', "~0").replace('/', "~1"));
                    let message = Bilingual::new("没有这个模板", "There is no such template");
                    FieldError::new(pointer, "unknown_template", message)
                };
                Self::new(Code::InvalidBody).errors(ids.into_iter().map(fault).collect())
            }
            ReportError::Idempotency(error) => error.into(),
            ReportError::Store(error) => error.into(),
        }
    }
}
