//! `/readyz`: responds with 503 if this process cannot do its work. Every process needs the database. A worker also
//! needs Redis, and its lanes must make progress. An API process works even without Redis: it then counts requests for
//! the rate limits on its own, and clients see changes a few seconds later.
//!
//! The public can reach this endpoint, and a load balancer depends on it. So PostgreSQL and Redis are asked at most
//! once a second by each listener, however many callers there are. PostgreSQL is asked over a connection beside the
//! pool, because a process whose pool is busy is still able to work.

use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::http::header;
use poem::{Endpoint, EndpointExt, Request, Response, Result};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::api::edge::{Code, Problem};
use crate::api::watch::remembered::Remembered;
use crate::casework::Casework;
use crate::domain::work::job::Lane;
use crate::queue::Queue;

/// The time-out for replies of the database and Redis.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// The time for which their answers are remembered.
const EVERY: Duration = Duration::from_secs(1);

/// Returns, for each lane of this process, the time since its loop last completed a round. A lane is the queue of jobs
/// for one gateway, and its loop fetches jobs from that queue.
pub type Rounds = Arc<dyn Fn() -> Vec<(Lane, Duration)> + Send + Sync>;

#[derive(Clone)]
pub struct Ready {
    pub casework: Casework,
    pub queue: Queue,
    /// True for a process that only works on jobs: it cannot do anything without Redis.
    pub needs_redis: bool,
    /// Returns the times since the lanes' loops last completed a round ([`Rounds`]). Returns an empty list if the
    /// process is not a worker.
    pub rounds: Rounds,
    /// A lane has stalled if its loop has not completed a round for longer than this.
    pub stalled_after: Duration,
    /// Cancelled when this process stops. The process is then not ready, because it takes no more work.
    pub stop: CancellationToken,
}

pub fn endpoint(ready: Ready) -> BoxEndpoint<'static> {
    Readyz { ready, stores: Remembered::new(EVERY) }.boxed()
}

struct Readyz {
    ready: Ready,
    stores: Remembered<Stores>,
}

/// True for each that answers.
#[derive(Debug, Clone, Copy)]
struct Stores {
    database: bool,
    redis: bool,
}

impl Endpoint for Readyz {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let ready = &self.ready;
        let Stores { database, redis } = self.stores.get(|| ready.ask()).await;
        let stalled = (ready.rounds)().into_iter().filter(|(_, ago)| *ago > ready.stalled_after);
        let found = Found {
            database,
            redis,
            needs_redis: ready.needs_redis,
            stalled: stalled.map(|(lane, _)| lane).collect(),
            stopping: ready.stop.is_cancelled(),
        };
        Ok(found.answer()?)
    }
}

impl Ready {
    async fn ask(&self) -> Stores {
        let (database, redis) = tokio::join!(
            tokio::time::timeout(ANSWER_WITHIN, self.casework.upkeep().ping()),
            tokio::time::timeout(ANSWER_WITHIN, self.queue.ping()),
        );
        Stores { database: matches!(database, Ok(Ok(()))), redis: matches!(redis, Ok(Ok(()))) }
    }
}

struct Found {
    database: bool,
    redis: bool,
    needs_redis: bool,
    stalled: Vec<Lane>,
    stopping: bool,
}

impl Found {
    fn answer(&self) -> Result<Response, Problem> {
        let wrong = self.wrong();
        if !wrong.is_empty() {
            let (zh, en): (Vec<_>, Vec<_>) = wrong.into_iter().unzip();
            return Err(Problem::new(Code::Unavailable)
                .retry_after(ANSWER_WITHIN)
                .detail(zh.join("；"), en.join("; ")));
        }
        let body = if self.redis { json!({"status": "ok"}) } else { json!({"status": "degraded", "redis": "away"}) };
        let answer = Response::builder().content_type("application/json").header(header::CACHE_CONTROL, "no-store");
        Ok(answer.body(body.to_string()))
    }

    fn wrong(&self) -> Vec<(String, String)> {
        let said = |is_wrong: bool, zh: &str, en: &str| is_wrong.then(|| (zh.to_owned(), en.to_owned()));
        let known = [
            said(self.stopping, "进程正在停止", "the process is stopping"),
            said(!self.database, "数据库无应答", "the database does not answer"),
            said(self.needs_redis && !self.redis, "Redis 无应答", "Redis does not answer"),
        ];
        let stalled =
            self.stalled.iter().map(|lane| (format!("通道 {lane} 停滞"), format!("the lane {lane} has stalled")));
        known.into_iter().flatten().chain(stalled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: Found =
        Found { database: true, redis: true, needs_redis: false, stalled: Vec::new(), stopping: false };

    #[tokio::test]
    async fn an_api_can_do_without_redis_but_not_without_the_database() {
        let body = async |found: Found| found.answer().unwrap().into_body().into_string().await.unwrap();
        assert_eq!(body(HEALTHY).await, r#"{"status":"ok"}"#);
        assert!(body(Found { redis: false, ..HEALTHY }).await.contains("degraded"));
        for broken in [
            Found { database: false, ..HEALTHY },
            Found { redis: false, needs_redis: true, ..HEALTHY },
            Found { stalled: vec![Lane::inside()], ..HEALTHY },
            Found { stopping: true, ..HEALTHY },
        ] {
            assert_eq!(broken.answer().unwrap_err().code(), Code::Unavailable);
        }
    }
}
