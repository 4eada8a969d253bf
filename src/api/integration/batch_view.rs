//! A batch of decisions, and the verdict on each.

use poem_openapi::payload::Json;
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{ApiResponse, Object};
use serde_json::{Value, json};

use super::new_result::{NewResultBody, Row};
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::answers::problem::{Problem, ProblemBody};
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::api::shared::case_view::number_example;
use crate::casework::frame::idempotency::Answer;
use crate::casework::read_models::VersionedCase;
use crate::domain::kernel::ids::CaseId;

/// Decisions, each with its reference.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct ResultBatch {
    /// The decisions.
    #[oai(validator(min_items = 1, max_items = 500))]
    pub results: Vec<Row>,
}

impl Example for ResultBatch {
    fn example() -> Self {
        let mut row = NewResultBody::example().to_json().unwrap_or_default();
        if let Value::Object(members) = &mut row {
            members.insert("ref".to_owned(), json!("2026-0042"));
        }
        Self { results: vec![Row(row)] }
    }
}

/// The verdict on one row.
#[derive(Debug, Object)]
#[oai(rename = "ResultVerdict", example, skip_serializing_if_is_none)]
pub(super) struct Verdict {
    /// The row's reference, if it could be read.
    #[oai(rename = "ref")]
    reference: Option<String>,
    /// What the row would have got alone: 201, 200, or the problem's status.
    status: u16,
    /// The case that it is here.
    case: Option<CaseId>,
    /// 办件编号: for people.
    number: Option<String>,
    /// Why it is refused. Its pointers start at the batch: `/results/3/applicant/phone`.
    problem: Option<ProblemBody>,
}

impl Verdict {
    /// The verdict on a row that became a case, or was one; or on one that is refused. What our side did wrong is logged,
    /// as it would be for a request.
    pub(super) fn of(reference: Option<String>, outcome: Result<(bool, VersionedCase), Problem>) -> Self {
        match outcome {
            Ok((is_new, VersionedCase { case, .. })) => {
                let status = if is_new { 201 } else { 200 };
                let number = Some(case.number.as_str().to_owned());
                Self { reference, status, case: Some(case.id), number, problem: None }
            }
            Err(problem) => {
                let current = current_request();
                problem.log(&current);
                let body = problem.body(&current);
                Self { reference, status: body.status, case: None, number: None, problem: Some(body) }
            }
        }
    }
}

impl Example for Verdict {
    fn example() -> Self {
        Self {
            reference: Some("2026-0042".to_owned()),
            status: 201,
            case: Some(CaseId::from_uuid(EXAMPLE)),
            number: Some(number_example()),
            problem: None,
        }
    }
}

/// The verdicts.
#[derive(Debug, Object)]
pub(super) struct BatchVerdicts {
    /// One for each row, in the order given.
    pub data: Vec<Verdict>,
}

#[derive(ApiResponse)]
pub(super) enum BatchAnswer {
    /// The verdicts.
    #[oai(status = 207)]
    MultiStatus(Json<BatchVerdicts>),
}

impl From<BatchAnswer> for Answer {
    fn from(BatchAnswer::MultiStatus(Json(verdicts)): BatchAnswer) -> Self {
        HttpAnswer::new(207, verdicts.to_json().unwrap_or_default()).into()
    }
}
