//! PostgreSQL, looked at from outside: what the product has written down by now.

use std::env;
use std::time::Duration;

use songda::domain::kernel::clock::Stopwatch;
use sqlx::PgPool;

use crate::Measured;

/// A connection of the bench's own.
pub struct Ledger {
    pool: PgPool,
}

impl Ledger {
    /// Connects, and makes the table of the bare inserts.
    pub async fn open() -> Measured<Self> {
        let pool = PgPool::connect(&env::var("SONGDA_DATABASE_URL")?).await?;
        sqlx::query("create table if not exists bench_rows (id bigserial primary key, body text not null)")
            .execute(&pool)
            .await?;
        Ok(Self { pool })
    }

    /// Waits until no job is pending, and fails when one was given up or an attempt is missing.
    pub async fn all_done(&self, patience: Duration) -> Measured<()> {
        const LOOK_EVERY: Duration = Duration::from_millis(10);
        let watch = Stopwatch::start();
        while self.holds("select exists (select from jobs where state = 'pending')").await? {
            if watch.elapsed() > patience {
                return Err("jobs are still pending".into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if self.holds("select exists (select from jobs where state = 'dead')").await? {
            return Err("jobs were given up".into());
        }
        Ok(())
    }

    /// Fails unless every job that was ever promised has exactly one attempt, which ended; says how the attempts ended.
    pub async fn all_recorded(&self) -> Measured<()> {
        let once = "select (select count(*) from jobs) = (select count(*) from attempts where ended_at is not null)";
        if self.holds(once).await? {
            return Ok(());
        }
        let told = "select format('%s jobs, and attempts: ', (select count(*) from jobs)) || string_agg(line, ', ')
                    from (select format('%s %s %s', count(*), coalesce(outcome, 'open'), left(detail, 60)) as line
                          from attempts group by outcome, left(detail, 60) order by count(*) desc limit 10) lines";
        Err(sqlx::query_scalar::<_, String>(told).fetch_one(&self.pool).await?.into())
    }

    /// How long the job that is due for the longest time has waited.
    pub async fn oldest_due(&self) -> Measured<Duration> {
        let oldest = "select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 from jobs
                      where state = 'pending' and due_at <= now()";
        Ok(Duration::from_secs_f64(sqlx::query_scalar::<_, f64>(oldest).fetch_one(&self.pool).await?.max(0.0)))
    }

    async fn holds(&self, question: &'static str) -> Measured<bool> {
        Ok(sqlx::query_scalar(question).fetch_one(&self.pool).await?)
    }
}
