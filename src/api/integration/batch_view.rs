//! A batch of results, and the response to it, which contains a verdict per row.

use poem_openapi::payload::Json;
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{ApiResponse, Object};
use serde_json::{Value, json};

use super::new_result::{NewResultBody, ResultRow};
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::answers::problem::ProblemBody;
use crate::api::edge::{EXAMPLE, Problem, current_request, example};
use crate::api::shared::case_view::number_example;
use crate::casework::frame::idempotency::Answer;
use crate::casework::read_models::VersionedCase;
use crate::domain::kernel::ids::CaseId;

/// 批量结果。 A batch of results, each with the client's own reference.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct ResultBatch {
    #[oai(validator(min_items = 1, max_items = 500))]
    pub results: Vec<ResultRow>,
}

impl Example for ResultBatch {
    fn example() -> Self {
        let mut row = NewResultBody::example().to_json().unwrap_or_default();
        if let Value::Object(members) = &mut row {
            members.insert("ref".to_owned(), json!("2026-0042"));
        }
        Self { results: vec![ResultRow(row)] }
    }
}

/// 逐行结果。 The outcome of one row of a batch.
#[derive(Debug, Object)]
#[oai(rename = "ResultVerdict", example, skip_serializing_if_is_none)]
pub(super) struct Verdict {
    /// The row's reference; absent if the row has no readable reference.
    #[oai(rename = "ref")]
    reference: Option<String>,
    /// The HTTP status that the row would have if it were sent alone: 201 (new), 200 (reported before), or the status
    /// of its problem.
    status: u16,
    /// The case to which the result belongs.
    case: Option<CaseId>,
    /// 办件编号: the number of the case, for people.
    number: Option<String>,
    /// Present if the row was refused. The pointers of its errors start at the batch: `/results/3/applicant/phone`.
    problem: Option<ProblemBody>,
}

impl Verdict {
    /// Builds the verdict on a row. `outcome` is the problem of a refused row; for any other row it is the case, with a
    /// flag that is true if this request created the case, or repeats the request that created it. Logs the problem if
    /// the server is at fault.
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

example!(Verdict {
    reference: Some("2026-0042".to_owned()),
    status: 201,
    case: Some(CaseId::from_uuid(EXAMPLE)),
    number: Some(number_example()),
    problem: None,
});

/// 全部结果。 The outcomes of all rows.
#[derive(Debug, Object)]
pub(super) struct BatchVerdicts {
    /// One outcome per row, in the order of the request.
    pub data: Vec<Verdict>,
}

#[derive(ApiResponse)]
pub(super) enum BatchAnswer {
    /// 逐行结果 · One outcome per row
    #[oai(status = 207)]
    MultiStatus(Json<BatchVerdicts>),
}

impl From<BatchAnswer> for Answer {
    fn from(BatchAnswer::MultiStatus(Json(verdicts)): BatchAnswer) -> Self {
        HttpAnswer::new(207, verdicts.to_json().unwrap_or_default()).into()
    }
}
