//! `/readyz`: whether this process can do its work. Without the database it cannot; without Redis an API can, only slower,
//! but a worker hears of nothing; and a worker whose lanes no longer come round is found out here, not by its customers.

use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::http::header;
use poem::{Endpoint, EndpointExt, Request, Response, Result};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::casework::Casework;
use crate::domain::kernel::text::Bilingual;
use crate::domain::work::job::Lane;
use crate::queue::Queue;

/// How long the database and Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long ago each lane of this process came round.
pub type Rounds = Arc<dyn Fn() -> Vec<(Lane, Duration)> + Send + Sync>;

/// What is asked.
#[derive(Clone)]
pub struct Ready {
    /// Its database is asked.
    pub casework: Casework,
    /// Redis.
    pub queue: Queue,
    /// Whether nothing can be done without Redis: so it is of a process that only works.
    pub needs_redis: bool,
    /// The lanes of this process, if it works.
    pub rounds: Rounds,
    /// How long a lane may take to come round.
    pub stalled_after: Duration,
    /// Cancelled when this process stops: then it wants no more work.
    pub stop: CancellationToken,
}

/// The endpoint.
pub fn endpoint(ready: Ready) -> BoxEndpoint<'static> {
    ready.boxed()
}

impl Endpoint for Ready {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let (database, redis) = tokio::join!(
            tokio::time::timeout(ANSWER_WITHIN, self.casework.upkeep().ping()),
            tokio::time::timeout(ANSWER_WITHIN, self.queue.ping()),
        );
        let stalled = (self.rounds)().into_iter().filter(|(_, ago)| *ago > self.stalled_after);
        let found = Found {
            database: matches!(database, Ok(Ok(()))),
            redis: matches!(redis, Ok(Ok(()))),
            needs_redis: self.needs_redis,
            stalled: stalled.map(|(lane, _)| lane).collect(),
            stopping: self.stop.is_cancelled(),
        };
        Ok(found.answer()?)
    }
}

/// What was found out.
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
                .detail(Bilingual::new(zh.join("；"), en.join("; "))));
        }
        let body = if self.redis { json!({"status": "ok"}) } else { json!({"status": "degraded", "redis": "away"}) };
        let answer = Response::builder().content_type("application/json").header(header::CACHE_CONTROL, "no-store");
        Ok(answer.body(body.to_string()))
    }

    fn wrong(&self) -> Vec<(String, String)> {
        let said = |is_wrong: bool, zh: &str, en: &str| is_wrong.then(|| (zh.to_owned(), en.to_owned()));
        let known = [
            said(self.stopping, "进程正在停止", "the process stops"),
            said(!self.database, "数据库无应答", "the database does not answer"),
            said(self.needs_redis && !self.redis, "Redis 无应答", "Redis does not answer"),
        ];
        let stalled = self
            .stalled
            .iter()
            .map(|lane| (format!("通道 {lane} 停滞"), format!("the lane {lane} does not come round")));
        known.into_iter().flatten().chain(stalled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Found = Found { database: true, redis: true, needs_redis: false, stalled: Vec::new(), stopping: false };

    #[tokio::test]
    async fn an_api_may_miss_redis_and_nobody_the_database_or_a_lane() {
        let body = async |found: Found| found.answer().unwrap().into_body().into_string().await.unwrap();
        assert_eq!(body(WELL).await, r#"{"status":"ok"}"#);
        assert!(body(Found { redis: false, ..WELL }).await.contains("degraded"));
        for broken in [
            Found { database: false, ..WELL },
            Found { redis: false, needs_redis: true, ..WELL },
            Found { stalled: vec![Lane::inside()], ..WELL },
            Found { stopping: true, ..WELL },
        ] {
            assert_eq!(broken.answer().unwrap_err().code(), Code::Unavailable);
        }
    }
}
