//! The cases of an officer's agency: the queue, a case in full, its history, and the acts on it.

use chrono::NaiveDate;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::{Value, json};

use super::application_view::ApplicationBody;
use super::desk::{at_work, seen};
use super::tag::StaffTag;
use crate::api::edge::{
    Answered, Body, Code, IdempotencyKey, IfMatch, Officer, OptionalKey, Page, Problem, Shown, clamp, example,
};
use crate::api::services::Services;
use crate::api::shared::case_view::CaseBody;
use crate::api::shared::ruling::{OutcomeWord, ResultDocumentBody, ruling};
use crate::casework::officers::read::CaseFile;
use crate::casework::officers::{Asked, OfficerAtWork};
use crate::casework::read_models::{HistoryEntry, VersionedCase};
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::CaseId;

pub struct StaffCases(pub Services);

const LIST: &str = "list_cases";

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Cases")]
impl StaffCases {
    /// 办件列表 · List cases
    ///
    /// Lists the open cases of the agency. The earliest due date comes first; cases that wait for the applicant come
    /// last. With `number`, the response contains only the case with that number, open or closed.
    #[oai(path = "/cases", method = "get", operation_id = "list_cases")]
    async fn list(
        &self,
        officer: Officer,
        /// Only cases in this state.
        Query(state): Query<Option<OpenState>>,
        /// 办件编号: only the case with this number. Its check character detects typing errors.
        Query(number): Query<Option<String>>,
        /// Rows per page: 20 by default, 100 at most.
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        Query(cursor): Query<Option<String>>,
    ) -> Result<Json<Page<CaseBody>>, Problem> {
        let officer = at_work(&officer)?;
        let limit = clamp(limit);
        if let Some(number) = number {
            return self.list_one(&officer, &number).await;
        }
        let state = state.map(OpenState::as_str);
        let filters = (officer.remit.agencies(), state);
        let after: Option<(Option<NaiveDate>, CaseId)> = self.0.cursors.read(LIST, &filters, cursor.as_deref())?;
        let rows = self.0.casework.officers().queue(&officer, state, after, limit as i64 + 1).await?;
        let catalog = self.0.casework.catalog().current();
        let position = |row: &VersionedCase| (row.case.due_on, row.case.id);
        Ok(Json(self.0.cursors.page(LIST, &filters, rows, limit, position, |row| CaseBody::of(&row, &catalog))?))
    }

    /// 查看办件 · Show a case
    ///
    /// Includes everything that was handed in. Resident IDs and phone numbers are masked: see `disclose_case`.
    #[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]
    async fn get(&self, officer: Officer, id: Path<CaseId>) -> Result<Shown<CaseFileBody>, Problem> {
        let file = self.0.casework.officers().case_file(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Shown { body: self.show_file(&file), version: file.case.version })
    }

    /// 查看完整信息 · Disclose a case
    ///
    /// Shows a case with nothing masked. The history of the case records the officer and the reason, for every request: a
    /// repeated one is one more disclosure.
    #[oai(path = "/cases/:id/disclosures", method = "post", operation_id = "disclose_case")]
    async fn disclose(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        idempotency_key: OptionalKey,
        body: Body<Disclosure>,
    ) -> Result<Answered<Shown<CaseFileBody>>, Problem> {
        let once = idempotency_key.once(officer.id, "disclose_case", &json!([id.0, body.raw()]));
        let at_work = at_work(&officer)?;
        let Disclosure { reason } = body.into_inner();
        let whole = |file: &CaseFile| Shown { body: self.show_file(file), version: file.case.version }.into();
        Ok(self.0.casework.officers().disclose(&at_work, id.0, &reason, once.as_ref(), whole).await?.into())
    }

    /// 办件历史 · Show the history of a case
    ///
    /// All acts, with their actors, times and reasons, oldest first.
    #[oai(path = "/cases/:id/history", method = "get", operation_id = "get_case_history")]
    async fn history(&self, officer: Officer, id: Path<CaseId>) -> Result<Json<History>, Problem> {
        let history = self.0.casework.officers().history(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json(History { data: history.into_iter().map(HistoryBody::from).collect() }))
    }

    /// 受理 · Accept a case
    ///
    /// From now on, the next act that the agency owes is the decision.
    #[oai(path = "/cases/:id/acceptance", method = "post", operation_id = "accept_case")]
    async fn accept(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: OptionalKey,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "accept_case", &json!(id.0));
        let asked = Asked { case: id.0, version, request: once.as_ref() };
        Ok(self.0.casework.officers().accept(&at_work, asked, |case| self.show(case).into()).await?.into())
    }

    /// 补正告知 · Give a supplement notice
    ///
    /// Notifies the applicant of everything that is missing. Possible once per case.
    #[oai(path = "/cases/:id/supplement-notice", method = "post", operation_id = "notice_supplement")]
    async fn notice_supplement(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: OptionalKey,
        body: Body<SupplementNotice>,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "notice_supplement", &json!([id.0, body.raw()]));
        let asked = Asked { case: id.0, version, request: once.as_ref() };
        let points = body.into_inner().points;
        let given =
            self.0.casework.officers().notice_supplement(&at_work, asked, points, |case| self.show(case).into());
        Ok(given.await?.into())
    }

    /// 作出决定 · Decide a case
    ///
    /// Grants or denies the application. The applicant is then notified and the parcel is ordered, even if a server
    /// process fails after the decision is stored.
    #[oai(path = "/cases/:id/decision", method = "post", operation_id = "decide_case")]
    async fn decide(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: IdempotencyKey,
        body: Body<NewDecision>,
    ) -> Result<Answered<Shown<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "decide_case", &json!([id.0, body.raw()]));
        let NewDecision { outcome, reasons, result } = body.into_inner();
        let ruling = ruling(outcome, reasons, result).map_err(Problem::invalid)?;
        let asked = Asked { case: id.0, version, request: Some(&once) };
        Ok(self.0.casework.officers().decide(&at_work, asked, ruling, |case| self.show(case).into()).await?.into())
    }
}

impl StaffCases {
    /// Returns a page with the case that has this number, or an empty page.
    async fn list_one(&self, officer: &OfficerAtWork, number: &str) -> Result<Json<Page<CaseBody>>, Problem> {
        let wrong = || {
            Problem::new(Code::InvalidParameter)
                .detail("办件编号有误：校验位不符", "The number contains an error: its check character does not match")
        };
        let number: CaseNumber = number.parse().map_err(|_| wrong())?;
        let found = self.0.casework.officers().by_number(officer, &number).await?;
        let data = found.iter().map(|case| self.show(case).body).collect();
        Ok(Json(Page { data, has_more: false, next_cursor: None }))
    }

    fn show(&self, case: &VersionedCase) -> Shown<CaseBody> {
        CaseBody::shown(case, &self.0.casework.catalog().current())
    }

    fn show_file(&self, file: &CaseFile) -> CaseFileBody {
        CaseFileBody {
            case: self.show(&file.case).body,
            application: (&file.application).into(),
            supplement_answer: file.supplement.as_ref().map(ApplicationBody::from),
        }
    }
}

/// 待办状态。 A state in which the agency or the applicant must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum OpenState {
    Submitted,
    SupplementNoticed,
    Accepted,
}

impl OpenState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::SupplementNoticed => "supplement_noticed",
            Self::Accepted => "accepted",
        }
    }
}

/// 办件详情。 A case with everything that was handed in.
#[derive(Debug, Object)]
#[oai(rename = "CaseFile", example, skip_serializing_if_is_none)]
struct CaseFileBody {
    #[oai(flatten)]
    case: CaseBody,
    /// The application as it was submitted. It never changes.
    application: ApplicationBody,
    /// The answer to a supplement notice.
    supplement_answer: Option<ApplicationBody>,
}

example!(CaseFileBody { case: CaseBody::example(), application: ApplicationBody::example(), supplement_answer: None });

/// 查看理由。 The reason for a disclosure.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct Disclosure {
    /// The reason. The timeline does not show it to the applicant, but the applicant can ask the agency for it.
    #[oai(validator(max_length = 500, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    reason: String,
}

example!(Disclosure { reason: "核对身份证件".to_owned() });

/// 补正告知。 A supplement notice.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct SupplementNotice {
    /// Everything that is missing, point by point. The law allows one notice.
    #[oai(validator(min_items = 1, max_items = 50, max_length = 500, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    points: Vec<String>,
}

example!(SupplementNotice { points: vec!["请补交居住证明的第二页".to_owned()] });

/// 决定。 A decision.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct NewDecision {
    /// 准予或不予
    outcome: OutcomeWord,
    /// The reasons of the decision: required for a denial.
    #[oai(default, validator(max_length = 2000))]
    reasons: String,
    /// The result of a grant: required for a grant, and not allowed otherwise.
    result: Option<ResultDocumentBody>,
}

example!(NewDecision {
    outcome: OutcomeWord::Grant,
    reasons: String::new(),
    result: Some(ResultDocumentBody::example())
});

/// 办件历史。 One act on a case.
#[derive(Debug, Object)]
#[oai(rename = "HistoryEntry", example)]
struct HistoryBody {
    at: Instant,
    /// The actor: `person:per_…`, `officer:ofc_…`, `client:cli_…`, `carrier:ems`, `system`.
    by: String,
    /// The party on whose behalf the actor acted: `person:per_…` for an applicant; for other actors `agency:…`, the
    /// agency that owns the case.
    #[oai(rename = "for")]
    for_: String,
    /// The kind of act: `submitted`, `accepted`, `decided`, … Later releases can add values.
    act: String,
    /// The reasons and details of the act.
    cause: Value,
}

impl From<HistoryEntry> for HistoryBody {
    fn from(entry: HistoryEntry) -> Self {
        let HistoryEntry { at, by, for_, act, cause } = entry;
        Self { at, by, for_, act, cause }
    }
}

example!(HistoryBody {
    at: Instant::default(),
    by: "officer:ofc_01KAQ8Y7G0E00800000000002A".to_owned(),
    for_: "agency:administrative-approval".to_owned(),
    act: "accepted".to_owned(),
    cause: json!({}),
});

/// 办件历史。 The history of a case.
#[derive(Debug, Object)]
struct History {
    /// The acts, oldest first.
    data: Vec<HistoryBody>,
}
