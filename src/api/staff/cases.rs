//! The cases of an officer's agency: the queue, one in full, its history, and the acts on it.

use chrono::NaiveDate;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde_json::{Value, json};

use super::application_view::ApplicationBody;
use super::desk::{at_work, seen};
use super::tag::Tag;
use crate::api::edge::answers::Versioned;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::{IfMatch, etag};
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::bearer::Officer;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::idempotency::{Answered, IdempotencyKey, OptionalKey};
use crate::api::edge::parameters::paging::{Cursors, Page, clamp};
use crate::api::shared::case_view::CaseBody;
use crate::api::shared::ruling::{OutcomeWord, ResultDocumentBody, ruling};
use crate::casework::Casework;
use crate::casework::officers::read::CaseFile;
use crate::casework::officers::{Asked, OfficerAtWork};
use crate::casework::read_models::{HistoryEntry, VersionedCase};
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::CaseId;
use crate::domain::kernel::text::Bilingual;

/// The operations.
pub struct Cases {
    pub(super) casework: Casework,
    pub(super) cursors: Cursors,
}

/// The name of the list that its cursors are bound to.
const LIST: &str = "list_cases";

#[OpenApi(prefix_path = "/staff/v1", tag = "Tag::Cases")]
impl Cases {
    /// Lists the agency's open cases: what is due first comes first, what waits for its applicant comes last. With `number`
    /// it finds one, open or not.
    #[oai(path = "/cases", method = "get", operation_id = "list_cases")]
    async fn list(
        &self,
        officer: Officer,
        /// Only cases in this state.
        Query(state): Query<Option<OpenState>>,
        /// 办件编号: only the case of this number. A slip in it is noticed by its check character.
        Query(number): Query<Option<String>>,
        /// How many at most (20 if absent, 100 at most).
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the page before.
        Query(cursor): Query<Option<String>>,
    ) -> Result<QueueAnswer, Problem> {
        let officer = at_work(&officer)?;
        let limit = clamp(limit);
        if let Some(number) = number {
            return self.list_one(&officer, &number).await;
        }
        let state = state.map(OpenState::as_str);
        let filters = (officer.remit.agencies(), state);
        let after: Option<(Option<NaiveDate>, CaseId)> = self.cursors.read(LIST, &filters, cursor.as_deref())?;
        let rows = self.casework.officers().queue(&officer, state, after, limit as i64 + 1).await?;
        let catalog = self.casework.catalog().current();
        let position = |row: &VersionedCase| (row.case.due_on, row.case.id);
        let page = self.cursors.page((LIST, &filters), rows, limit, position, |row| CaseBody::of(&row, &catalog))?;
        Ok(QueueAnswer::Ok(Json(page)))
    }

    /// Shows a case with all that was handed in. Resident IDs and phone numbers are masked: see `disclose_case`.
    #[oai(path = "/cases/:id", method = "get", operation_id = "get_case")]
    async fn get(&self, officer: Officer, id: Path<CaseId>) -> Result<CaseFileAnswer, Problem> {
        let file = self.casework.officers().case_file(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        let etag = etag(file.case.version);
        Ok(CaseFileAnswer::Ok(Json(self.show_file(&file)), etag))
    }

    /// 查看完整信息。 Shows a case with nothing masked, and keeps in its history who saw it, and why.
    #[oai(path = "/cases/:id/disclosures", method = "post", operation_id = "disclose_case")]
    async fn disclose(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        idempotency_key: OptionalKey,
        body: Body<Disclosure>,
    ) -> Result<Answered<Versioned<CaseFileBody>>, Problem> {
        let once = idempotency_key.once(officer.id, "disclose_case", &json!([id.0, body.raw()]));
        let at_work = at_work(&officer)?;
        let Disclosure { reason } = body.into_inner();
        let whole = |file: &CaseFile| Versioned { body: self.show_file(file), version: file.case.version }.into();
        Ok(self.casework.officers().disclose(&at_work, id.0, &reason, once.as_ref(), whole).await?.into())
    }

    /// Shows who did what to a case, when and why, oldest first.
    #[oai(path = "/cases/:id/history", method = "get", operation_id = "get_case_history")]
    async fn history(&self, officer: Officer, id: Path<CaseId>) -> Result<HistoryAnswer, Problem> {
        let history = self.casework.officers().history(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(HistoryAnswer::Ok(Json(History { data: history.into_iter().map(HistoryBody::from).collect() })))
    }

    /// 受理。 Accepts a case: from now on its decision is due.
    #[oai(path = "/cases/:id/acceptance", method = "post", operation_id = "accept_case")]
    async fn accept(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: OptionalKey,
    ) -> Result<Answered<Versioned<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "accept_case", &json!(id.0));
        let asked = Asked { case: id.0, version, request: once.as_ref() };
        Ok(self.casework.officers().accept(&at_work, asked, |case| self.show(case).into()).await?.into())
    }

    /// 补正告知。 Tells the applicant, once, everything that is missing.
    #[oai(path = "/cases/:id/supplement-notice", method = "post", operation_id = "notice_supplement")]
    async fn notice_supplement(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: OptionalKey,
        body: Body<SupplementNotice>,
    ) -> Result<Answered<Versioned<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "notice_supplement", &json!([id.0, body.raw()]));
        let asked = Asked { case: id.0, version, request: once.as_ref() };
        let points = body.into_inner().points;
        let given = self.casework.officers().notice_supplement(&at_work, asked, points, |case| self.show(case).into());
        Ok(given.await?.into())
    }

    /// 决定。 Grants or denies. The applicant is told and the parcel is ordered, whatever dies in between.
    #[oai(path = "/cases/:id/decision", method = "post", operation_id = "decide_case")]
    async fn decide(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        if_match: IfMatch,
        idempotency_key: IdempotencyKey,
        body: Body<NewDecision>,
    ) -> Result<Answered<Versioned<CaseBody>>, Problem> {
        let at_work = at_work(&officer)?;
        let version = seen(if_match)?;
        let once = idempotency_key.once(officer.id, "decide_case", &json!([id.0, body.raw()]));
        let NewDecision { outcome, reasons, result } = body.into_inner();
        let ruling =
            ruling(outcome, reasons, result).map_err(|faults| Problem::new(Code::InvalidBody).errors(faults))?;
        let asked = Asked { case: id.0, version, request: Some(&once) };
        Ok(self.casework.officers().decide(&at_work, asked, ruling, |case| self.show(case).into()).await?.into())
    }
}

impl Cases {
    /// The list of the one case of a number, or of none.
    async fn list_one(&self, officer: &OfficerAtWork, number: &str) -> Result<QueueAnswer, Problem> {
        let slip = || {
            Bilingual::new(
                "办件编号有误：校验位不符",
                "There is a slip in the number: its check character does not fit",
            )
        };
        let number: CaseNumber = number.parse().map_err(|_| Problem::new(Code::InvalidParameter).detail(slip()))?;
        let found = self.casework.officers().by_number(officer, &number).await?;
        let data = found.iter().map(|case| self.show(case).body).collect();
        Ok(QueueAnswer::Ok(Json(Page { data, has_more: false, next_cursor: None })))
    }

    fn show(&self, case: &VersionedCase) -> Versioned<CaseBody> {
        Versioned { body: CaseBody::of(case, &self.casework.catalog().current()), version: case.version }
    }

    fn show_file(&self, file: &CaseFile) -> CaseFileBody {
        CaseFileBody {
            case: self.show(&file.case).body,
            application: (&file.application).into(),
            supplement_answer: file.supplement.as_ref().map(ApplicationBody::from),
        }
    }
}

/// A state in which the agency or the applicant owes an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum OpenState {
    /// 待受理
    Submitted,
    /// 补正中
    SupplementNoticed,
    /// 待决定
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

/// A case with all that was handed in.
#[derive(Debug, Object)]
#[oai(rename = "CaseFile", example, skip_serializing_if_is_none)]
struct CaseFileBody {
    #[oai(flatten)]
    case: CaseBody,
    /// What was applied for; it never changes.
    application: ApplicationBody,
    /// What was handed in after a supplement notice.
    supplement_answer: Option<ApplicationBody>,
}

impl Example for CaseFileBody {
    fn example() -> Self {
        Self { case: CaseBody::example(), application: ApplicationBody::example(), supplement_answer: None }
    }
}

/// Why somebody must see everything.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct Disclosure {
    /// Why; the applicant may ask for it.
    #[oai(validator(max_length = 500, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    reason: String,
}

impl Example for Disclosure {
    fn example() -> Self {
        Self { reason: "核对身份证件".to_owned() }
    }
}

/// What is missing.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct SupplementNotice {
    /// Everything that is missing, each point for itself. The law allows one notice.
    #[oai(validator(min_items = 1, max_items = 50, max_length = 500, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    points: Vec<String>,
}

impl Example for SupplementNotice {
    fn example() -> Self {
        Self { points: vec!["请补交居住证明的第二页".to_owned()] }
    }
}

/// A decision.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct NewDecision {
    /// 准予或不予
    outcome: OutcomeWord,
    /// Why. A denial must say it.
    #[oai(default, validator(max_length = 2000))]
    reasons: String,
    /// What a grant produces: required for a grant, and only there.
    result: Option<ResultDocumentBody>,
}

impl Example for NewDecision {
    fn example() -> Self {
        Self { outcome: OutcomeWord::Grant, reasons: String::new(), result: Some(ResultDocumentBody::example()) }
    }
}

/// Who did what, when and why.
#[derive(Debug, Object)]
#[oai(rename = "HistoryEntry", example)]
struct HistoryBody {
    /// When.
    at: Instant,
    /// Who acted: `person:per_…`, `officer:ofc_…`, `client:cli_…`, `carrier:ems`, `system`.
    by: String,
    /// For whom: `person:per_…` for an applicant, `agency:…` for an act in the office of an agency.
    #[oai(rename = "for")]
    for_: String,
    /// What: `submitted`, `accepted`, `decided`, … More words may come.
    act: String,
    /// Why, and with what.
    cause: Value,
}

impl From<HistoryEntry> for HistoryBody {
    fn from(entry: HistoryEntry) -> Self {
        let HistoryEntry { at, by, for_, act, cause } = entry;
        Self { at, by, for_, act, cause }
    }
}

impl Example for HistoryBody {
    fn example() -> Self {
        Self {
            at: Instant::default(),
            by: "officer:ofc_01KAQ8Y7G0E00800000000002A".to_owned(),
            for_: "agency:administrative-approval".to_owned(),
            act: "accepted".to_owned(),
            cause: json!({}),
        }
    }
}

/// The history of a case.
#[derive(Debug, Object)]
struct History {
    /// Oldest first.
    data: Vec<HistoryBody>,
}

#[derive(ApiResponse)]
enum QueueAnswer {
    /// The queue.
    #[oai(status = 200)]
    Ok(Json<Page<CaseBody>>),
}

#[derive(ApiResponse)]
enum CaseFileAnswer {
    /// The case.
    #[oai(status = 200)]
    Ok(Json<CaseFileBody>, #[oai(header = "ETag")] String),
}

#[derive(ApiResponse)]
enum HistoryAnswer {
    /// The history.
    #[oai(status = 200)]
    Ok(Json<History>),
}
