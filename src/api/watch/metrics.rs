//! `/metrics`: the metrics of this process, the backlog of jobs, and whether PostgreSQL and Redis respond. The queries
//! are cheap (three index scans of bounded length per lane), and run at most once in five seconds for all scrapers
//! together.

use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Request, Response, Result};

use crate::api::watch::ready::Rounds;
use crate::api::watch::remembered::Remembered;
use crate::casework::Casework;
use crate::casework::read_models::LaneCounts;
use crate::domain::work::job::Lane;
use crate::metrics::{self, backlog, database, lanes, stores};
use crate::queue::Queue;

/// The jobs of a lane are counted up to this number.
const MOST: i64 = 10_000;
/// PostgreSQL and Redis are queried again if the last queries are older than this.
const EVERY: Duration = Duration::from_secs(5);
/// The time-out for replies of PostgreSQL and Redis.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

pub struct Sources {
    pub casework: Casework,
    pub queue: Queue,
    /// All lanes of this installation. A lane is the queue of jobs for one gateway.
    pub lanes: Vec<Lane>,
    /// Returns, for each lane of this process, the time since its loop last completed a round. The loop of a lane
    /// fetches the lane's jobs. Returns an empty list if the process is not a worker.
    pub rounds: Rounds,
}

struct Metrics {
    sources: Sources,
    asked: Remembered<()>,
}

pub fn endpoint(sources: Sources) -> BoxEndpoint<'static> {
    Metrics { sources, asked: Remembered::new(EVERY) }.boxed()
}

impl Endpoint for Metrics {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        self.asked.get(|| self.sources.ask()).await;
        self.sources.look();
        Ok(Response::builder().content_type(metrics::CONTENT_TYPE).body(metrics::text()))
    }
}

impl Sources {
    /// Queries PostgreSQL and Redis, and updates the metrics that depend on them.
    async fn ask(&self) {
        let (standing, pong) = tokio::join!(
            tokio::time::timeout(ANSWER_WITHIN, self.casework.jobs().standing(&self.lanes, MOST)),
            tokio::time::timeout(ANSWER_WITHIN, self.queue.ping()),
        );
        let standing = standing.ok().and_then(Result::ok);
        stores::set_up(standing.is_some(), matches!(pong, Ok(Ok(()))));
        match standing {
            Some(standing) => standing.iter().for_each(tell),
            None => backlog::clear(),
        }
    }

    /// Updates the metrics that need no query: the number of database connections, and for each lane the time since its
    /// loop last completed a round.
    fn look(&self) {
        let connections = self.casework.store().connections();
        database::set_connections(connections.busy, connections.idle, connections.limit);
        for (lane, ago) in (self.rounds)() {
            lanes::set_since_round(lane.as_str(), ago);
        }
    }
}

fn tell(standing: &LaneCounts) {
    backlog::set(backlog::LaneBacklog {
        lane: &standing.lane,
        due: standing.due,
        later: standing.later,
        running: standing.running,
        dead: standing.dead,
        oldest_due: standing.oldest_due.unwrap_or(0.0),
    });
}
