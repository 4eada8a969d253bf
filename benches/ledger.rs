//! Reads the product's tables `jobs` and `attempts` over a separate connection.

use std::time::Duration;

use sqlx::PgPool;

use crate::Measured;
use crate::library::Stopwatch;

/// The bench's own connection to a product's database.
pub struct Ledger {
    pool: PgPool,
}

impl Ledger {
    pub async fn open(database_url: &str) -> Measured<Self> {
        Ok(Self { pool: PgPool::connect(database_url).await? })
    }

    /// Waits until no job is pending. Fails if a job is dead.
    pub async fn all_done(&self, timeout: Duration) -> Measured<()> {
        const POLL_EVERY: Duration = Duration::from_millis(10);
        let watch = Stopwatch::start();
        while self.holds("select exists (select from jobs where state = 'pending')").await? {
            if watch.elapsed() > timeout {
                return Err("jobs are still pending".into());
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        if self.holds("select exists (select from jobs where state = 'dead')").await? {
            return Err("jobs are dead".into());
        }
        Ok(())
    }

    /// Fails unless every job that was ever enqueued has exactly one attempt, and that attempt has ended. The error
    /// says how the attempts ended.
    pub async fn all_recorded(&self) -> Measured<()> {
        let one_each =
            "select (select count(*) from jobs) = (select count(*) from attempts where ended_at is not null)";
        if self.holds(one_each).await? {
            return Ok(());
        }
        let outcomes = "select format('%s jobs, and attempts: ', (select count(*) from jobs)) || string_agg(line, ', ')
                    from (select format('%s %s %s', count(*), coalesce(outcome, 'open'), left(detail, 60)) as line
                          from attempts group by outcome, left(detail, 60) order by count(*) desc limit 10) lines";
        Err(sqlx::query_scalar::<_, String>(outcomes).fetch_one(&self.pool).await?.into())
    }

    /// Returns how long the oldest job that is due has waited.
    pub async fn oldest_due(&self) -> Measured<Duration> {
        let oldest = "select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 from jobs
                      where state = 'pending' and due_at <= now()";
        Ok(Duration::from_secs_f64(sqlx::query_scalar::<_, f64>(oldest).fetch_one(&self.pool).await?.max(0.0)))
    }

    async fn holds(&self, question: &'static str) -> Measured<bool> {
        Ok(sqlx::query_scalar(question).fetch_one(&self.pool).await?)
    }
}
