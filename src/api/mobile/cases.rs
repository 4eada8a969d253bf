//! Cases (办件), for the applicant: submit, show, answer a supplement notice, withdraw, correct the delivery.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::json;

use super::application_view::{FormBody, HandedInBody, application, faulty, form_example};
use super::drafts::submitted_as;
use super::tag::MobileTag;
use crate::api::edge::{
    Answered, Body, Brings, Code, Created, EXAMPLE, FieldError, IdempotencyKey, IfMatch, OptionalKey, Page, Person,
    Problem, ProblemOf, Shown, clamp, current_request, example,
};
use crate::api::services::Services;
use crate::api::shared::case_view::CaseBody;
use crate::casework::cases::answer_supplement::AnswerError;
use crate::casework::cases::correct_delivery::{CorrectError, Correction};
use crate::casework::cases::submit::SubmitError;
use crate::casework::read_models::VersionedCase;
use crate::domain::application::Application;
use crate::domain::kernel::ids::{AddressId, CaseId, DraftId};
use crate::domain::kernel::private::Private;

pub struct MobileCases(pub Services);

const LIST: &str = "list_cases";

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Cases")]
impl MobileCases {
    /// 提交申请 · Submit an application
    ///
    /// The draft becomes a case. The case keeps the form and the files unchanged.
    ///
    /// In an `invalid_body` response, the pointers of the faults point into the draft.
    #[oai(path = "/cases", method = "post", operation_id = "submit_case")]
    async fn submit(
        &self,
        person: Person,
        idempotency_key: IdempotencyKey,
        body: Body<NewCase>,
    ) -> Result<Answered<Created<CaseBody>>, ProblemOf<SubmitError>> {
        let once = idempotency_key.once(person.id, "submit_case", body.raw());
        let catalog = self.0.casework.catalog().current();
        let made = |case: &VersionedCase| Created {
            body: CaseBody::of(case, &catalog),
            version: case.version,
            location: format!("/v1/cases/{}", case.case.id),
        };
        let given =
            self.0.casework.cases().submit(&person.acting(), body.draft, &once, |case| made(case).into()).await?;
        Ok(given.into())
    }

    /// 我的办件 · List cases
    ///
    /// The newest case comes first.
    #[oai(path = "/cases", method = "get", operation_id = "list_cases")]
    async fn list(
        &self,
        person: Person,
        cursor: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<CaseBody>>, Problem> {
        let limit = clamp(limit.0);
        let after = self.0.cursors.read(LIST, &person.id, cursor.0.as_deref())?;
        let rows = self.0.casework.cases().list(person.id, after, limit as i64 + 1).await?;
        let catalog = self.0.casework.catalog().current();
        let position = |row: &VersionedCase| (row.case.submitted_at, row.case.id);
        Ok(Json(self.0.cursors.page(LIST, &person.id, rows, limit, position, |row| CaseBody::of(&row, &catalog))?))
    }

    /// 查看办件 · Show a case
    #[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]
    async fn get(&self, person: Person, id: Path<CaseId>) -> Result<Shown<CaseBody>, Problem> {
        let case = self.0.casework.cases().find(person.id, id.0).await?.ok_or(Code::NotFound)?;
        Ok(self.show(&case))
    }

    /// 撤回申请 · Withdraw an application
    ///
    /// Possible at any time before the decision.
    #[oai(path = "/cases/:id/withdrawal", method = "post", operation_id = "withdraw_case")]
    async fn withdraw(
        &self,
        person: Person,
        id: Path<CaseId>,
        idempotency_key: OptionalKey,
        body: Body<Withdrawal>,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let once = idempotency_key.once(person.id, "withdraw_case", &json!([id.0, body.raw()]));
        let reason = body.into_inner().reason;
        let request = current_request();
        let trace = Some(request.traceparent.as_str());
        let answer = |case: &VersionedCase| self.show(case).into();
        let cases = self.0.casework.cases();
        Ok(cases.withdraw(person.acting(), id.0, reason, once.as_ref(), trace, answer).await?.into())
    }

    /// 提交补正 · Answer a supplement notice
    ///
    /// The applicant can answer once, and must send everything that the notice asked for.
    #[oai(path = "/cases/:id/supplement", method = "post", operation_id = "answer_supplement")]
    async fn answer(
        &self,
        person: Person,
        id: Path<CaseId>,
        idempotency_key: OptionalKey,
        body: Body<SupplementAnswer>,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let once = idempotency_key.once(person.id, "answer_supplement", &json!([id.0, body.raw()]));
        let answer = Application::from(body.into_inner());
        let request = current_request();
        let trace = Some(request.traceparent.as_str());
        let shown = |case: &VersionedCase| self.show(case).into();
        let cases = self.0.casework.cases();
        Ok(cases.answer_supplement(person.acting(), id.0, &answer, once.as_ref(), trace, shown).await?.into())
    }

    /// 更正收件地址 · Correct the delivery address
    ///
    /// Sends the result again, to another address. Possible only if the carrier refused the address of the last parcel,
    /// or if that parcel was returned or cancelled.
    #[oai(path = "/cases/:id/delivery", method = "put", operation_id = "correct_delivery")]
    async fn correct_delivery(
        &self,
        person: Person,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: OptionalKey,
        body: Body<DeliveryCorrection>,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let once = idempotency_key.once(person.id, "correct_delivery", &json!([id.0, body.raw()]));
        let correction = Correction { case: id.0, version: if_match.version, address: body.into_inner().address };
        let request = current_request();
        let trace = Some(request.traceparent.as_str());
        let answer = |case: &VersionedCase| self.show(case).into();
        let cases = self.0.casework.cases();
        Ok(cases.correct_delivery(person.acting(), &correction, once.as_ref(), trace, answer).await?.into())
    }
}

impl MobileCases {
    fn show(&self, case: &VersionedCase) -> Shown<CaseBody> {
        CaseBody::shown(case, &self.0.casework.catalog().current())
    }
}

/// 提交申请。 The draft to submit.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewCase {
    draft: DraftId,
}

/// 撤回申请。 The reason for a withdrawal.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct Withdrawal {
    /// The reason, in the applicant's words.
    #[oai(validator(max_length = 500, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    reason: String,
}

/// 补正。 The answer to a supplement notice.
#[derive(Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct SupplementAnswer {
    /// A note to the officer.
    #[oai(default, validator(max_length = 2000))]
    note: String,
    /// All entries in the item's form, if any of them changes.
    form: Option<FormBody>,
    /// Additional files, by material.
    #[oai(default, validator(max_items = 50))]
    materials: Vec<HandedInBody>,
}

impl From<SupplementAnswer> for Application {
    fn from(SupplementAnswer { note, form, materials }: SupplementAnswer) -> Self {
        let note = Some(note).filter(|note| !note.trim().is_empty()).map(Private::new);
        Self { note, ..application(form.unwrap_or_default(), materials) }
    }
}

/// 更正收件地址。 The new address to which the result is sent.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct DeliveryCorrection {
    /// An entry of the address book: the new address.
    address: AddressId,
}

impl Brings for SubmitError {
    const CODES: &'static [Code] = &[Code::IdentityNotVerified, Code::NotFound];
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::NotFound => Self::new(Code::NotFound),
            SubmitError::NotVerified => Self::new(Code::IdentityNotVerified),
            SubmitError::NotOpen(refusal) => refusal.into(),
            SubmitError::Faulty(faults) => faulty(faults),
            SubmitError::Submitted(case) => submitted_as(case),
            SubmitError::Stale | SubmitError::ItemChanged => Self::new(Code::Conflict),
            SubmitError::TooManyOpen => Self::new(Code::TooManyOpenCases),
            SubmitError::Calendar(error) => error.into(),
            SubmitError::Idempotency(error) => error.into(),
            SubmitError::Store(error) => error.into(),
        }
    }
}

impl From<CorrectError> for Problem {
    fn from(error: CorrectError) -> Self {
        match error {
            CorrectError::NoSuchAddress => Self::invalid([FieldError::new(
                "/address",
                "unknown",
                "地址簿中没有这个地址",
                "The address is not in your address book",
            )]),
            CorrectError::Change(error) => error.into(),
            CorrectError::Store(error) => error.into(),
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Faulty(faults) => faulty(faults),
            AnswerError::Stale => Self::new(Code::Conflict),
            AnswerError::Change(error) => error.into(),
            AnswerError::Store(error) => error.into(),
        }
    }
}

example!(NewCase { draft: DraftId::from_uuid(EXAMPLE) });

example!(Withdrawal { reason: "信息填写有误，重新申请".to_owned() });

example!(DeliveryCorrection { address: AddressId::from_uuid(EXAMPLE) });

example!(SupplementAnswer {
    note: "已补交居住证明".to_owned(),
    form: Some(form_example()),
    materials: vec![HandedInBody::example()]
});
