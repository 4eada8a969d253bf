//! Decisions that another system made: handed in once each, alone or in batches, and asked about.
//!
//! A result is named by its source and reference, so handing it in again is harmless by itself: it is found, and nothing
//! is done twice. The `Idempotency-Key` tells beyond that whether it is the same request, whose answer was lost, or another
//! one. Of a single result its own row remembers the key, of a batch the answer is stored.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::batch_view::{BatchAnswer, BatchVerdicts, ResultBatch, Verdict};
use super::new_result::{NewResultBody, is_reference};
use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::etag;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::bearer::Client;
use crate::api::edge::parameters::body::{Body, Rows};
use crate::api::edge::parameters::idempotency::{Answered, IdempotencyKey};
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::api::shared::case_view::{CaseState, number_example};
use crate::api::shared::ruling::no_reasons;
use crate::casework::Casework;
use crate::casework::frame::idempotency::{Answer, Given};
use crate::casework::people::People;
use crate::casework::read_models::VersionedCase;
use crate::casework::results::{Recorded, Reported, Reporter, RowFault, RowRefusal};
use crate::domain::kernel::clock::beijing_day;
use crate::domain::kernel::ids::CaseId;
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::staff::Scope;

/// The operations.
pub struct Results {
    pub(super) people: People,
    pub(super) casework: Casework,
}

#[OpenApi(prefix_path = "/integration/v1", tag = "Tag::Results")]
impl Results {
    /// Hands in a decision. The applicant is told and the result is sent. The same decision again changes nothing.
    ///
    /// A reference stands for all that was said under it: what was decided, for whom, and where it goes. Anything else under
    /// the same reference is refused (`result_conflict`), so that no correction goes unnoticed.
    #[oai(path = "/results/:source/:reference", method = "put", operation_id = "put_result")]
    async fn put(
        &self,
        client: Client,
        /// The client's own name as a source.
        source: Path<String>,
        /// The client's own reference: 1 to 100 of letters, digits, `.`, `_`, `:`, `-`.
        reference: Path<String>,
        idempotency_key: IdempotencyKey,
        body: Body<NewResultBody>,
    ) -> Result<Answered<PutAnswer>, Problem> {
        let office = self.office(&client, Scope::ResultsWrite, Some(&source)).await?;
        if !is_reference(&reference) {
            return Err(Code::NotFound.into());
        }
        let today = beijing_day(self.people.clock.now());
        let result = body.into_inner().read(reference.0.clone(), &self.people.regions, today).map_err(invalid)?;
        let recorded = self.casework.results().record(office, result, idempotency_key.into_inner()).await?;
        let replayed = matches!(recorded, Recorded::Replayed(_));
        let (is_new, case) = taken(recorded)?;
        let (body, etag) = (Json(ResultBody::of(reference.0, &case)), etag(case.version));
        let answer = if is_new { PutAnswer::Created(body, etag) } else { PutAnswer::Ok(body, etag) };
        Ok(Given { answer: answer.into(), replayed }.into())
    }

    /// Shows what became of a decision that was handed in.
    #[oai(path = "/results/:source/:reference", method = "get", operation_id = "get_result")]
    async fn get(
        &self,
        client: Client,
        /// The client's own name as a source.
        source: Path<String>,
        /// The client's own reference.
        reference: Path<String>,
    ) -> Result<GetAnswer, Problem> {
        let office = self.office(&client, Scope::ResultsRead, Some(&source)).await?;
        if !is_reference(&reference) {
            return Err(Code::NotFound.into());
        }
        let case = self.casework.results().find(&office, &reference).await?;
        Ok(GetAnswer::Ok(Json(ResultBody::of(reference.0, &case)), etag(case.version)))
    }

    /// Hands in up to 500 decisions. Each row has a verdict of its own, in the order given; a bad one harms no other.
    #[oai(path = "/result-batches", method = "post", operation_id = "post_result_batch")]
    async fn batch(
        &self,
        client: Client,
        idempotency_key: IdempotencyKey,
        body: Rows<ResultBatch>,
    ) -> Result<Answered<BatchAnswer>, Problem> {
        let office = self.office(&client, Scope::ResultsWrite, None).await?;
        let once = idempotency_key.once(client.id, "post_result_batch", body.raw());
        let today = beijing_day(self.people.clock.now());
        let mut sound = Vec::new();
        let mut rows = Vec::new();
        for row in body.into_inner().results {
            let reference = row.reference();
            let sound_one = |result| sound.push(Reported { office: office.clone(), result, key: None });
            let faults = row.read(&self.people.regions, today).map(sound_one).err();
            rows.push((reference, faults));
        }
        let given = self.casework.results().record_batch(&sound, &once, |recorded| verdicts(&rows, recorded));
        Ok(given.await?.into())
    }
}

/// The answer to a batch: for each row what became of it, or what kept it from being read.
fn verdicts(rows: &[(Option<String>, Option<Vec<FieldError>>)], recorded: Vec<Recorded>) -> Answer {
    let mut recorded = recorded.into_iter();
    let judge = |(at, (reference, faults)): (usize, &(Option<String>, Option<Vec<FieldError>>))| {
        let outcome = match faults {
            Some(faults) => Err(invalid(faults.clone())),
            None => recorded.next().map_or(Err(Code::Internal.into()), taken),
        };
        Verdict::of(reference.clone(), outcome.map_err(|problem| problem.below(&format!("/results/{at}"))))
    };
    let data = rows.iter().enumerate().map(judge).collect();
    BatchAnswer::MultiStatus(Json(BatchVerdicts { data })).into()
}

impl Results {
    /// The back office that a client is, if it may do this, and speaks of its own.
    async fn office(&self, client: &Client, scope: Scope, source: Option<&str>) -> Result<Reporter, Problem> {
        client.require_scope(scope.as_str())?;
        // Its token may outlive it by a few minutes.
        let client = self.people.known().client(client.id).await?.ok_or(Code::InvalidToken)?;
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

/// The case that a decision is here, and whether the request made it, now or when it first came.
fn taken(recorded: Recorded) -> Result<(bool, VersionedCase), Problem> {
    match recorded {
        Recorded::Created(case) | Recorded::Replayed(case) => Ok((true, case)),
        Recorded::Known(case) => Ok((false, case)),
        Recorded::Refused(refusal) => Err(refusal.into()),
    }
}

fn invalid(faults: Vec<FieldError>) -> Problem {
    Problem::new(Code::InvalidBody).errors(faults)
}

/// What became of a decision.
#[derive(Debug, Object)]
#[oai(rename = "Result", example)]
struct ResultBody {
    /// The other system's own reference.
    #[oai(rename = "ref")]
    reference: String,
    /// The case that it is here.
    case: CaseId,
    /// 办件编号: for people.
    number: String,
    /// How it was decided.
    state: CaseState,
    /// Counts its changes from 1.
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

impl Example for ResultBody {
    fn example() -> Self {
        Self {
            reference: "2026-0042".to_owned(),
            case: CaseId::from_uuid(EXAMPLE),
            number: number_example(),
            state: CaseState::Granted,
            version: 1,
        }
    }
}

#[derive(ApiResponse)]
enum PutAnswer {
    /// It was known already.
    #[oai(status = 200)]
    Ok(Json<ResultBody>, #[oai(header = "ETag")] String),
    /// It is a case now.
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

#[derive(ApiResponse)]
enum GetAnswer {
    /// The decision.
    #[oai(status = 200)]
    Ok(Json<ResultBody>, #[oai(header = "ETag")] String),
}

impl From<RowRefusal> for Problem {
    fn from(refusal: RowRefusal) -> Self {
        match refusal {
            RowRefusal::ItemNotPublished => Self::new(Code::ItemNotPublished),
            RowRefusal::NotYourAgency => Self::new(Code::Forbidden).detail(Bilingual::new(
                "该事项不属于本系统可决定的部门",
                "The item belongs to an agency for which you may not decide",
            )),
            RowRefusal::Faulty(faults) => {
                let of_the_way = faults == [RowFault::WayNotOffered];
                let code = if of_the_way { Code::DeliveryNotOffered } else { Code::InvalidBody };
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
        let at =
            |pointer: &str, code: &'static str, zh: &str, en: &str| Self::new(pointer, code, Bilingual::new(zh, en));
        match fault {
            RowFault::InTheFuture => at("/decided_at", "in_the_future", "决定时间晚于现在", "It lies in the future"),
            RowFault::TooLongAgo => at("/decided_at", "too_long_ago", "决定时间过早", "It lies too long ago"),
            RowFault::NoReasons => no_reasons(),
            RowFault::WayNotOffered => at(
                "/delivery/way",
                "not_offered",
                "该事项不支持这种送达方式",
                "The result of this item is not delivered in this way",
            ),
            RowFault::UnknownHall => at("/delivery/hall", "unknown_hall", "没有这个大厅", "There is no such hall"),
        }
    }
}
