//! `/metrics`: what this process counts, beside what it is told when it asks: how long jobs wait, and whether PostgreSQL
//! and Redis answer. Asking is cheap (two index scans of bounded length a lane) and is done once in a while at the most,
//! however many ask.

use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::http::header;
use poem::{Endpoint, EndpointExt, Request, Response, Result};
use tokio::sync::Mutex;

use super::ready::Rounds;
use crate::casework::Casework;
use crate::casework::read_models::Standing;
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;
use crate::metrics::{self, backlog, database, lanes, stores};
use crate::queue::Queue;

/// Jobs are counted up to this many.
const MOST: i64 = 10_000;
/// How old what was told may be.
const EVERY: Duration = Duration::from_secs(5);
/// How long PostgreSQL and Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Whom to ask.
pub struct Sources {
    /// The record.
    pub casework: Casework,
    /// Redis.
    pub queue: Queue,
    /// Every lane of this installation.
    pub lanes: Vec<Lane>,
    /// The lanes of this process, if it works.
    pub rounds: Rounds,
}

struct Metrics {
    sources: Sources,
    asked: Mutex<Option<Stopwatch>>,
}

/// The endpoint.
pub fn endpoint(sources: Sources) -> BoxEndpoint<'static> {
    Metrics { sources, asked: Mutex::default() }.boxed()
}

impl Endpoint for Metrics {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() > EVERY) {
            self.sources.ask().await;
            *asked = Some(Stopwatch::start());
        }
        drop(asked);
        self.sources.look();
        let answer = Response::builder().content_type(metrics::CONTENT_TYPE).header(header::CACHE_CONTROL, "no-store");
        Ok(answer.body(metrics::text()))
    }
}

impl Sources {
    /// What others know.
    async fn ask(&self) {
        let (standing, pong) = tokio::join!(
            tokio::time::timeout(ANSWER_WITHIN, self.casework.jobs().standing(&self.lanes, MOST)),
            tokio::time::timeout(ANSWER_WITHIN, self.queue.ping()),
        );
        let standing = standing.ok().and_then(Result::ok);
        stores::answer(standing.is_some(), matches!(pong, Ok(Ok(()))));
        match standing {
            Some(standing) => standing.iter().for_each(tell),
            None => backlog::is_unknown(),
        }
    }

    /// What this process knows without asking.
    fn look(&self) {
        let connections = self.casework.store().connections();
        database::stand(connections.busy, connections.idle, connections.limit);
        for (lane, ago) in (self.rounds)() {
            lanes::came_round(lane.as_str(), ago);
        }
    }
}

fn tell(standing: &Standing) {
    let Standing { lane, due, later, running, dead, oldest_due } = standing;
    let (due, later, running, dead) = (*due, *later, *running, *dead);
    backlog::waits(backlog::Backlog { lane, due, later, running, dead, oldest_due: oldest_due.unwrap_or(0.0) });
}
