//! `/readyz`: whether this process can do its work. Without the database it cannot; without Redis it can, only slower;
//! and a worker whose lanes no longer come round is found out here, not by its customers.

use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::http::header;
use poem::{Endpoint, EndpointExt, Request, Response, Result};
use serde_json::json;

use crate::api::edge::code::Code;
use crate::api::edge::problem::Problem;
use crate::domain::job::Lane;
use crate::domain::text::Bilingual;
use crate::queue::Queue;
use crate::store::Store;

/// How long the database and Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long a lane may take to come round.
const COME_ROUND_WITHIN: Duration = Duration::from_secs(10);

/// The lanes of this process that have not come round for longer than this.
type Missed = Arc<dyn Fn(Duration) -> Vec<Lane> + Send + Sync>;

struct Ready {
    store: Store,
    queue: Queue,
    missed: Missed,
}

/// The endpoint.
pub fn endpoint(
    store: &Store,
    queue: &Queue,
    missed: impl Fn(Duration) -> Vec<Lane> + Send + Sync + 'static,
) -> BoxEndpoint<'static> {
    Ready { store: store.clone(), queue: queue.clone(), missed: Arc::new(missed) }.boxed()
}

impl Endpoint for Ready {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let (database, redis) = tokio::join!(
            tokio::time::timeout(ANSWER_WITHIN, self.store.ping()),
            tokio::time::timeout(ANSWER_WITHIN, self.queue.ping()),
        );
        let found = Found {
            database: matches!(database, Ok(Ok(()))),
            redis: matches!(redis, Ok(Ok(()))),
            missed: (self.missed)(COME_ROUND_WITHIN),
        };
        Ok(found.answer()?)
    }
}

/// What was found out.
struct Found {
    database: bool,
    redis: bool,
    missed: Vec<Lane>,
}

impl Found {
    fn answer(&self) -> Result<Response, Problem> {
        let mut wrong = Vec::new();
        if !self.database {
            wrong.push(("数据库无应答".to_owned(), "the database does not answer".to_owned()));
        }
        for lane in &self.missed {
            wrong.push((format!("通道 {lane} 停滞"), format!("the lane {lane} does not come round")));
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(database: bool, redis: bool, missed: &[Lane]) -> Result<Response, Problem> {
        Found { database, redis, missed: missed.to_vec() }.answer()
    }

    #[tokio::test]
    async fn redis_may_be_away_but_not_the_database_nor_a_lane() {
        let body = async |answer: Result<Response, Problem>| answer.unwrap().into_body().into_string().await.unwrap();
        assert_eq!(body(found(true, true, &[])).await, r#"{"status":"ok"}"#);
        assert!(body(found(true, false, &[])).await.contains("degraded"));
        for broken in [found(false, true, &[]), found(true, true, &[Lane::inside()])] {
            assert_eq!(broken.unwrap_err().code(), Code::Unavailable);
        }
    }
}
