//! Jobs, as operators see and replay them.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::bearer::Operator;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::paging::{Cursors, Page, clamp};
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::casework::Casework;
use crate::casework::read_models::{AttemptRow, JobFilter, JobRow};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::JobState;

/// The operations.
pub struct Jobs {
    pub(super) casework: Casework,
    pub(super) cursors: Cursors,
}

/// The name of the list that its cursors are bound to.
const LIST: &str = "list_jobs";
/// Matching dead letters are counted up to this many.
const MOST_COUNTED: i64 = 10_000;
/// So many are replayed at a time.
const MOST_REPLAYED: i64 = 1_000;

#[OpenApi(prefix_path = "/ops/v1", tag = "Tag::Jobs")]
impl Jobs {
    /// Lists jobs, the newest first.
    ///
    /// Of the pending and of the dead all are found. Otherwise a page looks among the next 1000 jobs from where it begins.
    #[oai(path = "/jobs", method = "get", operation_id = "list_jobs")]
    async fn list(
        &self,
        _operator: Operator,
        /// Only jobs in this state.
        Query(state): Query<Option<JobStateWord>>,
        /// Only jobs of this lane: `push.wechat`.
        #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
        Query(lane): Query<Option<String>>,
        /// Only jobs of this kind: `order_parcel`.
        #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
        Query(kind): Query<Option<String>>,
        /// How many at most (20 if absent, 100 at most).
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the page before.
        Query(cursor): Query<Option<String>>,
    ) -> Result<JobsAnswer, Problem> {
        let limit = clamp(limit);
        let state = state.map(|state| JobState::from(state).as_str().to_owned());
        let filter = JobFilter { state, lane, kind, cause: None };
        let filters = (&filter.state, &filter.lane, &filter.kind);
        let before: Option<JobId> = self.cursors.read(LIST, &filters, cursor.as_deref())?;
        let rows = self.casework.operations().list(&filter, before, limit as i64 + 1).await?;
        let page = self.cursors.page((LIST, &filters), rows, limit, JobRow::id, |row| JobBody::from(&row))?;
        Ok(JobsAnswer::Ok(Json(page)))
    }

    /// Shows a job with every attempt at it.
    #[oai(path = "/jobs/:id", method = "get", operation_id = "get_job")]
    async fn get(&self, _operator: Operator, id: Path<JobId>) -> Result<JobAnswer, Problem> {
        Ok(JobAnswer::Ok(Json(self.show(id.0).await?)))
    }

    /// Replays a job that was given up: it is due at once, and its attempts are counted anew.
    #[oai(path = "/jobs/:id/replay", method = "post", operation_id = "replay_job")]
    async fn replay(&self, _operator: Operator, id: Path<JobId>) -> Result<JobAnswer, Problem> {
        let replayed = self.casework.operations().replay_one(id.0).await?;
        let job = self.show(id.0).await?;
        if replayed { Ok(JobAnswer::Ok(Json(job))) } else { Err(Code::JobNotDead.into()) }
    }

    /// Replays all jobs that were given up and fit; at most 1000 at a time, so ask again while `matched` is more.
    #[oai(path = "/job-replays", method = "post", operation_id = "replay_jobs")]
    async fn replay_all(&self, _operator: Operator, body: Body<ReplayOrder>) -> Result<ReplayAnswer, Problem> {
        let ReplayOrder { lane, kind, cause, dry_run } = body.into_inner();
        let filter = JobFilter { state: None, lane, kind, cause };
        let matched = self.casework.operations().count_dead(&filter, MOST_COUNTED).await?;
        let replayed =
            if dry_run { 0 } else { self.casework.operations().replay(&filter, MOST_REPLAYED).await? as u64 };
        Ok(ReplayAnswer::Ok(Json(Replayed { matched, replayed })))
    }
}

impl Jobs {
    async fn show(&self, id: JobId) -> Result<JobFile, Problem> {
        let (job, attempts) = self.casework.operations().show(id).await?.ok_or(Code::NotFound)?;
        Ok(JobFile { job: (&job).into(), attempts: attempts.into_iter().map(AttemptBody::from).collect() })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "JobState", rename_all = "snake_case", remote = "JobState")]
enum JobStateWord {
    /// 待办: to be done, or being done.
    Pending,
    /// 完成
    Done,
    /// 已放弃: with its cause, until somebody replays it.
    Dead,
}

/// 任务。 A job.
#[derive(Debug, Object)]
#[oai(rename = "Job", example, skip_serializing_if_is_none)]
struct JobBody {
    /// Its id.
    id: JobId,
    /// The queue before its gateway.
    lane: String,
    /// What it does.
    kind: String,
    /// What it does it to; two jobs with one key are one job.
    key: String,
    /// `pending`, `done` or `dead`.
    state: String,
    /// When it is due.
    due_at: Instant,
    /// How many attempts count.
    attempt_count: i32,
    /// Why it waits, or was given up.
    cause: Option<String>,
    /// When it was promised.
    created_at: Instant,
    /// When it was done or given up.
    finished_at: Option<Instant>,
    /// Which worker holds it.
    worker: Option<String>,
}

impl From<&JobRow> for JobBody {
    fn from(row: &JobRow) -> Self {
        Self {
            id: row.id(),
            lane: row.lane.clone(),
            kind: row.kind.clone(),
            key: row.key.clone(),
            state: row.state.clone(),
            due_at: row.due_at,
            attempt_count: row.attempts,
            cause: row.cause.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            worker: row.worker.clone(),
        }
    }
}

impl Example for JobBody {
    fn example() -> Self {
        Self {
            id: JobId::from_uuid(EXAMPLE),
            lane: "courier.ems".to_owned(),
            kind: "order_parcel".to_owned(),
            key: "order_parcel:prc_01KAQ8Y7G0E00800000000002A".to_owned(),
            state: "dead".to_owned(),
            due_at: Instant::default(),
            attempt_count: 12,
            cause: Some("Unavailable: HTTP 503 without a readable body".to_owned()),
            created_at: Instant::default(),
            finished_at: Some(Instant::default()),
            worker: None,
        }
    }
}

/// A job with every attempt at it.
#[derive(Debug, Object)]
#[oai(example)]
struct JobFile {
    #[oai(flatten)]
    job: JobBody,
    /// The first first.
    attempts: Vec<AttemptBody>,
}

/// An attempt at a job.
#[derive(Debug, Object)]
#[oai(rename = "Attempt", skip_serializing_if_is_none)]
struct AttemptBody {
    /// Which claim it was, counted from 1.
    fence: i64,
    /// By which worker.
    worker: String,
    /// From when.
    started_at: Instant,
    /// Until when; absent while it is under way, or since it was lost.
    ended_at: Option<Instant>,
    /// How it ended.
    outcome: Option<String>,
    /// In the gateway's words.
    detail: Option<String>,
    /// The gateway's own id.
    reference: Option<String>,
}

impl From<AttemptRow> for AttemptBody {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { fence, worker, started_at, ended_at, outcome, detail, reference } = row;
        Self { fence, worker, started_at, ended_at, outcome, detail, reference }
    }
}

impl Example for JobFile {
    fn example() -> Self {
        let attempt = AttemptBody {
            fence: 1,
            worker: "7-3f0c".to_owned(),
            started_at: Instant::default(),
            ended_at: Some(Instant::default()),
            outcome: Some("unavailable".to_owned()),
            detail: Some("HTTP 503 without a readable body".to_owned()),
            reference: None,
        };
        Self { job: JobBody::example(), attempts: vec![attempt] }
    }
}

/// Which jobs are to be replayed.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct ReplayOrder {
    /// Only jobs of this lane.
    #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
    lane: Option<String>,
    /// Only jobs of this kind.
    #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
    kind: Option<String>,
    /// Only jobs whose cause holds this text.
    #[oai(validator(max_length = 200, pattern = r"^[^\x00]*$"))]
    cause: Option<String>,
    /// Whether only to count them.
    dry_run: bool,
}

impl Example for ReplayOrder {
    fn example() -> Self {
        Self { lane: Some("courier.ems".to_owned()), kind: None, cause: Some("HTTP 503".to_owned()), dry_run: true }
    }
}

/// What a replay found and did.
#[derive(Debug, Object)]
#[oai(example)]
struct Replayed {
    /// How many jobs fit, counted up to 10000.
    matched: i64,
    /// How many of them are due again.
    replayed: u64,
}

impl Example for Replayed {
    fn example() -> Self {
        Self { matched: 37, replayed: 0 }
    }
}

#[derive(ApiResponse)]
enum JobsAnswer {
    /// The jobs.
    #[oai(status = 200)]
    Ok(Json<Page<JobBody>>),
}

#[derive(ApiResponse)]
enum JobAnswer {
    /// The job.
    #[oai(status = 200)]
    Ok(Json<JobFile>),
}

#[derive(ApiResponse)]
enum ReplayAnswer {
    /// What was found and done.
    #[oai(status = 200)]
    Ok(Json<Replayed>),
}
