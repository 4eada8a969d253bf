//! Jobs, for operators: list, inspect and replay them.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::tag::OpsTag;
use crate::api::edge::{Body, Code, EXAMPLE, Operator, Page, Problem, clamp, example};
use crate::api::services::Services;
use crate::casework::read_models::{AttemptRow, JobFilter, JobRow};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::JobState;

pub struct OpsJobs(pub Services);

const LIST: &str = "list_jobs";
/// The count of the dead jobs that match a replay request stops at this number.
const MOST_COUNTED: i64 = 10_000;
/// The maximum number of jobs that one request replays.
const MOST_REPLAYED: i64 = 1_000;

#[OpenApi(prefix_path = "/ops/v1", tag = "OpsTag::Jobs")]
impl OpsJobs {
    /// 任务列表 · List jobs
    ///
    /// The newest job comes first.
    ///
    /// With `state` `pending` or `dead`, the request searches all jobs in that state. Otherwise it searches only the
    /// 1000 jobs that follow the cursor.
    #[oai(path = "/jobs", method = "get", operation_id = "list_jobs")]
    async fn list(
        &self,
        _operator: Operator,
        /// Only jobs in this state.
        Query(state): Query<Option<JobState>>,
        /// Only jobs of this lane: `push.wechat`.
        #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
        Query(lane): Query<Option<String>>,
        /// Only jobs of this kind: `order_parcel`.
        #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
        Query(kind): Query<Option<String>>,
        /// Rows per page: 20 by default, 100 at most.
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        Query(cursor): Query<Option<String>>,
    ) -> Result<Json<Page<JobBody>>, Problem> {
        let limit = clamp(limit);
        let state = state.map(|state| state.as_str().to_owned());
        let filter = JobFilter { state, lane, kind, cause: None };
        let filters = (&filter.state, &filter.lane, &filter.kind);
        let before: Option<JobId> = self.0.cursors.read(LIST, &filters, cursor.as_deref())?;
        let rows = self.0.casework.operations().list(&filter, before, limit as i64 + 1).await?;
        Ok(Json(self.0.cursors.page(LIST, &filters, rows, limit, JobRow::id, JobBody::from)?))
    }

    /// 查看任务 · Show a job
    ///
    /// Includes all its attempts.
    #[oai(path = "/jobs/:id", method = "get", operation_id = "get_job")]
    async fn get(&self, _operator: Operator, id: Path<JobId>) -> Result<Json<JobFile>, Problem> {
        Ok(Json(self.show(id.0).await?))
    }

    /// 重放任务 · Replay a dead job
    ///
    /// The job becomes due at once, and its attempts are counted from zero.
    #[oai(path = "/jobs/:id/replay", method = "post", operation_id = "replay_job")]
    async fn replay(&self, _operator: Operator, id: Path<JobId>) -> Result<Json<JobFile>, Problem> {
        let replayed = self.0.casework.operations().replay_one(id.0).await?;
        let job = self.show(id.0).await?;
        if replayed { Ok(Json(job)) } else { Err(Code::JobNotDead.into()) }
    }

    /// 批量重放 · Replay dead jobs
    ///
    /// Replays the dead jobs that match the conditions in the body, at most 1000 at a time. Repeat the request while
    /// `matched` is larger than `replayed`.
    #[oai(path = "/job-replays", method = "post", operation_id = "replay_jobs")]
    async fn replay_all(&self, _operator: Operator, body: Body<ReplayOrder>) -> Result<Json<Replayed>, Problem> {
        let ReplayOrder { lane, kind, cause, dry_run } = body.into_inner();
        let filter = JobFilter { state: None, lane, kind, cause };
        let matched = self.0.casework.operations().count_dead(&filter, MOST_COUNTED).await?;
        let replayed =
            if dry_run { 0 } else { self.0.casework.operations().replay(&filter, MOST_REPLAYED).await? as u64 };
        Ok(Json(Replayed { matched, replayed }))
    }
}

impl OpsJobs {
    async fn show(&self, id: JobId) -> Result<JobFile, Problem> {
        let (job, attempts) = self.0.casework.operations().show(id).await?.ok_or(Code::NotFound)?;
        Ok(JobFile { job: job.into(), attempts: attempts.into_iter().map(AttemptBody::from).collect() })
    }
}

/// 任务。 A job.
#[derive(Debug, Object)]
#[oai(rename = "Job", example, skip_serializing_if_is_none)]
struct JobBody {
    id: JobId,
    /// The lane: the queue of jobs for one gateway.
    lane: String,
    kind: String,
    /// The business key, which identifies the work of the job. It is unique: a second job with the same key is not
    /// added.
    key: String,
    /// The state: `pending`, `done` or `dead`.
    state: String,
    due_at: Instant,
    /// The number of attempts since the job was created or replayed.
    attempt_count: i32,
    /// The reason why the job waits, or is dead.
    cause: Option<String>,
    created_at: Instant,
    /// When the job was done or became dead; absent while it waits or runs.
    finished_at: Option<Instant>,
    /// The worker that has claimed the job; absent if no worker has.
    worker: Option<String>,
}

impl From<JobRow> for JobBody {
    fn from(row: JobRow) -> Self {
        let id = row.id();
        let JobRow { lane, kind, key, state, due_at, attempts, cause, created_at, finished_at, worker, .. } = row;
        Self { id, lane, kind, key, state, due_at, attempt_count: attempts, cause, created_at, finished_at, worker }
    }
}

example!(JobBody {
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
});

/// 任务详情。 A job with all its attempts.
#[derive(Debug, Object)]
#[oai(example)]
struct JobFile {
    #[oai(flatten)]
    job: JobBody,
    /// The attempts, oldest first.
    attempts: Vec<AttemptBody>,
}

/// 尝试。 One attempt at a job.
#[derive(Debug, Object)]
#[oai(rename = "Attempt", skip_serializing_if_is_none)]
struct AttemptBody {
    /// The fence: the number of the claim to which this attempt belongs. A job's first claim is 1.
    fence: i64,
    worker: String,
    started_at: Instant,
    /// When the attempt ended; absent while it runs, and if its worker was lost.
    ended_at: Option<Instant>,
    outcome: Option<String>,
    /// The gateway's message, in its own words.
    detail: Option<String>,
    /// The gateway's own id of the message or order that it accepted.
    reference: Option<String>,
}

impl From<AttemptRow> for AttemptBody {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { fence, worker, started_at, ended_at, outcome, detail, reference } = row;
        Self { fence, worker, started_at, ended_at, outcome, detail, reference }
    }
}

example!(JobFile {
    job: JobBody::example(),
    attempts: vec![AttemptBody {
        fence: 1,
        worker: "7-3f0c".to_owned(),
        started_at: Instant::default(),
        ended_at: Some(Instant::default()),
        outcome: Some("unavailable".to_owned()),
        detail: Some("HTTP 503 without a readable body".to_owned()),
        reference: None,
    }],
});

/// 重放条件。 The dead jobs to replay.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct ReplayOrder {
    /// Only jobs of this lane.
    #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
    lane: Option<String>,
    /// Only jobs of this kind.
    #[oai(validator(max_length = 60, pattern = r"^[a-z0-9_.]*$"))]
    kind: Option<String>,
    /// Only jobs whose cause contains this text.
    #[oai(validator(max_length = 200, pattern = r"^[^\x00]*$"))]
    cause: Option<String>,
    /// True to count the jobs without replaying them.
    dry_run: bool,
}

example!(ReplayOrder {
    lane: Some("courier.ems".to_owned()),
    kind: None,
    cause: Some("HTTP 503".to_owned()),
    dry_run: true
});

/// 重放结果。 The outcome of a replay.
#[derive(Debug, Object)]
#[oai(example)]
struct Replayed {
    /// The number of matching jobs. The count stops at 10000.
    matched: i64,
    /// The number of jobs that this request has replayed.
    replayed: u64,
}

example!(Replayed { matched: 37, replayed: 0 });
