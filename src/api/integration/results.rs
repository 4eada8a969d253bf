//! Operations on results of other systems: report them alone or in batches, and show them.
//!
//! A source (the name of the reporting system) and a reference (that system's own id of the result) identify a result,
//! so a repeated report changes nothing. The `Idempotency-Key` distinguishes a repeated request, which gets the first
//! response, from a new request. For a single result the database stores only the key: the response is built again from
//! the case, whose decision no longer changes. For a batch the database stores the whole response.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::batch_view::{BatchAnswer, BatchVerdicts, ResultBatch, Verdict};
use super::new_result::{NewResultBody, is_reference};
use super::tag::IntegrationTag;
use crate::api::edge::answers::etag::etag;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::parameters::body::Rows;
use crate::api::edge::{
    Answered, Body, Client, Code, EXAMPLE, FieldError, IdempotencyKey, Problem, Shown, current_request, example,
};
use crate::api::services::Services;
use crate::api::shared::case_view::{CaseState, number_example};
use crate::api::shared::ruling::no_reasons;
use crate::casework::frame::idempotency::{Answer, Given};
use crate::casework::read_models::VersionedCase;
use crate::casework::results::{Recorded, Reported, Reporter, RowFault, RowRefusal};
use crate::domain::kernel::clock::beijing_day;
use crate::domain::kernel::ids::CaseId;
use crate::domain::people::staff::Scope;

pub struct Results(pub Services);

#[OpenApi(prefix_path = "/integration/v1", tag = "IntegrationTag::Results")]
impl Results {
    /// 回传办理结果 · Report a result
    ///
    /// The applicant is notified and the result is delivered. A repeated report of the same result changes nothing.
    ///
    /// A reference identifies everything that was reported under it: the decision, the applicant and the delivery. A
    /// report with other content under the same reference is refused (`result_conflict`), so that the client notices
    /// that its correction is not applied.
    #[oai(path = "/results/:source/:reference", method = "put", operation_id = "put_result")]
    async fn put(
        &self,
        client: Client,
        /// The name under which this client reports results.
        source: Path<String>,
        /// The client's own id of the result: 1 to 100 letters, digits, `.`, `_`, `:` or `-`.
        reference: Path<String>,
        idempotency_key: IdempotencyKey,
        body: Body<NewResultBody>,
    ) -> Result<Answered<PutAnswer>, Problem> {
        let office = self.office(&client, Scope::ResultsWrite, Some(&source)).await?;
        if !is_reference(&reference) {
            return Err(Code::NotFound.into());
        }
        let today = beijing_day(self.0.people.clock.now());
        let result =
            body.into_inner().read(reference.0.clone(), &self.0.people.regions, today).map_err(Problem::invalid)?;
        let recorded = self.0.casework.results().record(office, result, idempotency_key.into_inner()).await?;
        let replayed = matches!(recorded, Recorded::Replayed(_));
        let (is_new, case) = taken(recorded)?;
        let body = Json(ResultBody::of(reference.0, &case));
        let etag = etag(case.version);
        let answer = if is_new { PutAnswer::Created(body, etag) } else { PutAnswer::Ok(body, etag) };
        Ok(Given { answer: answer.into(), replayed }.into())
    }

    /// 查看办理结果 · Show a reported result
    #[oai(path = "/results/:source/:reference", method = "get", operation_id = "get_result")]
    async fn get(
        &self,
        client: Client,
        /// The name under which this client reports results.
        source: Path<String>,
        /// The client's own id of the result.
        reference: Path<String>,
    ) -> Result<Shown<ResultBody>, Problem> {
        let office = self.office(&client, Scope::ResultsRead, Some(&source)).await?;
        if !is_reference(&reference) {
            return Err(Code::NotFound.into());
        }
        let case = self.0.casework.results().find(&office, &reference).await?;
        Ok(Shown { body: ResultBody::of(reference.0, &case), version: case.version })
    }

    /// 批量回传 · Report a batch of results
    ///
    /// Reports up to 500 results. The response has one outcome per row, in the order of the request. A faulty row does
    /// not affect the others.
    #[oai(path = "/result-batches", method = "post", operation_id = "post_result_batch")]
    async fn batch(
        &self,
        client: Client,
        idempotency_key: IdempotencyKey,
        body: Rows<ResultBatch>,
    ) -> Result<Answered<BatchAnswer>, Problem> {
        let office = self.office(&client, Scope::ResultsWrite, None).await?;
        let once = idempotency_key.once(client.id, "post_result_batch", body.raw());
        let today = beijing_day(self.0.people.clock.now());
        let mut sound = Vec::new();
        let mut rows = Vec::new();
        for row in body.into_inner().results {
            let reference = row.reference();
            let report = |result| sound.push(Reported { office: office.clone(), result, key: None });
            let faults = row.read(&self.0.people.regions, today).map(report).err();
            rows.push(ReadRow { reference, faults });
        }
        let given = self.0.casework.results().record_batch(&sound, &once, |recorded| verdicts(&rows, recorded));
        Ok(given.await?.into())
    }
}

/// A row of a batch after it was parsed.
struct ReadRow {
    reference: Option<String>,
    /// The faults of an invalid row. `None` for a valid row, which is passed to the use case.
    faults: Option<Vec<FieldError>>,
}

/// Builds the response to a batch. `recorded` contains the outcomes of the valid rows, in their order.
fn verdicts(rows: &[ReadRow], recorded: Vec<Recorded>) -> Answer {
    let mut recorded = recorded.into_iter();
    let mut data = Vec::new();
    for (at, ReadRow { reference, faults }) in rows.iter().enumerate() {
        let outcome = match faults {
            Some(faults) => Err(Problem::invalid(faults.clone())),
            None => recorded.next().map_or(Err(Code::Internal.into()), taken),
        };
        let outcome = outcome.map_err(|problem| problem.below(&format!("/results/{at}")));
        data.push(Verdict::of(reference.clone(), outcome));
    }
    BatchAnswer::MultiStatus(Json(BatchVerdicts { data })).into()
}

impl Results {
    /// Returns the back-office system for which a client reports. Fails if the client does not have the scope, or if
    /// `source` is present and is not the client's own.
    async fn office(&self, client: &Client, scope: Scope, source: Option<&str>) -> Result<Reporter, Problem> {
        client.require_scope(scope.as_str())?;
        // The client may have been removed after its token was signed.
        let client = self.0.people.known().client(client.id).await?.ok_or(Code::InvalidToken)?;
        if source.is_some_and(|source| source != client.source.as_str()) {
            return Err(Code::Forbidden.into());
        }
        Ok(Reporter {
            client: client.id,
            source: client.source.to_string(),
            agencies: client.agencies.clone(),
            trace: Some(current_request().traceparent.clone()),
        })
    }
}

/// Returns the case of a recorded result. The flag is true if this request created the case, or repeats the request
/// that created it.
fn taken(recorded: Recorded) -> Result<(bool, VersionedCase), Problem> {
    match recorded {
        Recorded::Created(case) | Recorded::Replayed(case) => Ok((true, case)),
        Recorded::Known(case) => Ok((false, case)),
        Recorded::Refused(refusal) => Err(refusal.into()),
    }
}

/// 办理结果。 The state of a reported result.
#[derive(Debug, Object)]
#[oai(rename = "Result", example)]
struct ResultBody {
    #[oai(rename = "ref")]
    reference: String,
    /// The case to which the result belongs.
    case: CaseId,
    /// 办件编号: the number of the case, for people.
    number: String,
    state: CaseState,
    /// The version of the case. It starts at 1 and grows with every change.
    version: i64,
}

impl ResultBody {
    fn of(reference: String, case: &VersionedCase) -> Self {
        Self {
            reference,
            case: case.case.id,
            number: case.case.number.as_str().to_owned(),
            state: CaseState::from(&case.case.state),
            version: case.version,
        }
    }
}

example!(ResultBody {
    reference: "2026-0042".to_owned(),
    case: CaseId::from_uuid(EXAMPLE),
    number: number_example(),
    state: CaseState::Granted,
    version: 1,
});

#[derive(ApiResponse)]
enum PutAnswer {
    /// 已存在 · The result was reported before
    #[oai(status = 200)]
    Ok(Json<ResultBody>, #[oai(header = "ETag")] String),
    /// 已创建 · The result is new
    #[oai(status = 201)]
    Created(Json<ResultBody>, #[oai(header = "ETag")] String),
}

impl From<PutAnswer> for Answer {
    fn from(answer: PutAnswer) -> Self {
        let (status, Json(body), etag) = match answer {
            PutAnswer::Ok(body, etag) => (200, body, etag),
            PutAnswer::Created(body, etag) => (201, body, etag),
        };
        HttpAnswer::new(status, body.to_json().unwrap_or_default()).header("ETag", etag).into()
    }
}

impl From<RowRefusal> for Problem {
    fn from(refusal: RowRefusal) -> Self {
        match refusal {
            RowRefusal::ItemNotPublished => Self::new(Code::ItemNotPublished),
            RowRefusal::NotYourAgency => Self::new(Code::Forbidden).detail(
                "该事项不属于本系统可决定的部门",
                "The item belongs to an agency whose cases this client may not decide",
            ),
            RowRefusal::Faulty(faults) => {
                let is_only_the_way = faults == [RowFault::WayNotOffered];
                let code = if is_only_the_way { Code::DeliveryNotOffered } else { Code::InvalidBody };
                Self::new(code).errors(faults.into_iter().map(FieldError::from).collect())
            }
            RowRefusal::Conflict => Self::new(Code::ResultConflict),
            RowRefusal::Idempotency(error) => error.into(),
            RowRefusal::Repeated => Self::new(Code::ResultRepeated),
            RowRefusal::Store(error) => error.into(),
        }
    }
}

impl From<RowFault> for FieldError {
    fn from(fault: RowFault) -> Self {
        match fault {
            RowFault::InTheFuture => {
                Self::new("/decided_at", "in_the_future", "决定时间晚于现在", "The time is in the future")
            }
            RowFault::TooLongAgo => {
                Self::new("/decided_at", "too_long_ago", "决定时间过早", "The time is too long ago")
            }
            RowFault::NoReasons => no_reasons(),
            RowFault::WayNotOffered => Self::new(
                "/delivery/way",
                "not_offered",
                "该事项不支持这种送达方式",
                "This item does not offer this way of delivery",
            ),
            RowFault::UnknownHall => {
                Self::new("/delivery/hall", "unknown_hall", "没有这个大厅", "There is no such hall")
            }
        }
    }
}
