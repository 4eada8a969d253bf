//! Measures what this machine can do without the product, in the same run: HTTP calls alone, inserts into PostgreSQL
//! alone, and entries of a Redis stream alone.

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::AsyncCommands;
use redis::streams::{StreamReadOptions, StreamReadReply};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};

use crate::library::Stopwatch;
use crate::load::per_second;
use crate::{Bench, Measured};

/// The number of calls in flight at once: in these measurements, in the product, and in its peers (BullMQ and Celery).
pub const SLOTS: usize = 64;

/// The body of a call that sends a message, without the phone number. It is as long as the body that the product sends.
pub const MESSAGE: &str = "SignName=%E9%87%91%E5%9D%9B%E6%94%BF%E5%8A%A1&TemplateCode=SMS_100000002&TemplateParam=%7B%22name%22%3A%22%E7%A4%BE%E4%BC%9A%E4%BF%9D%E9%9A%9C%E5%8D%A1%22%2C%22status%22%3A%22%E5%87%86%E4%BA%88%22%7D";

/// Creates the table into which the bare inserts write, in the database of the benchmark run.
pub async fn prepare() -> Measured<()> {
    let mut connection = PgConnection::connect(&env::var("SONGDA_DATABASE_URL")?).await?;
    sqlx::query("create table if not exists bench_rows (id bigserial primary key, body text not null)")
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Measures how many calls a second the product's HTTP library alone makes to the gateway.
#[expect(clippy::disallowed_methods, reason = "the bare client is what the product's is compared with")]
pub async fn client(bench: &Bench, calls: usize, delay: Duration) -> Measured<f64> {
    bench.sink.reset(delay);
    let client = reqwest::Client::new();
    let url = format!("http://{}/", bench.sink.address);
    let call = async |number| {
        let body = format!("PhoneNumbers={}&{MESSAGE}", 13_000_000_000 + number);
        client.post(&url).body(body).send().await?.error_for_status()?.bytes().await?;
        Measured::Ok(())
    };
    rate(SLOTS, calls, call).await
}

/// Measures how many rows this number of clients inserts in a second. Each row is a separate durable commit.
pub async fn inserts(clients: usize, rows: usize) -> Measured<f64> {
    let connections = PgPoolOptions::new().max_connections(u32::try_from(clients)?);
    let pool = connections.connect(&env::var("SONGDA_DATABASE_URL")?).await?;
    let insert = async |_| {
        sqlx::query("insert into bench_rows (body) values ($1)").bind(MESSAGE).execute(&pool).await?;
        Measured::Ok(())
    };
    let rate = rate(clients, rows, insert).await?;
    pool.close().await;
    Ok(rate)
}

/// Measures how many entries a second pass through a Redis stream, one after the other. Each is added, read by a
/// consumer group, acknowledged and deleted.
pub async fn rings(count: usize) -> Measured<f64> {
    const STREAM: &str = "bench:rings";
    let mut redis = redis::Client::open(env::var("SONGDA_REDIS_URL")?)?.get_multiplexed_async_connection().await?;
    let _: () = redis.del(STREAM).await?;
    let _: () = redis.xgroup_create_mkstream(STREAM, "group", "0").await?;
    let next = StreamReadOptions::default().group("group", "bench").count(1);
    let watch = Stopwatch::start();
    for _ in 0..count {
        let _: String = redis.xadd(STREAM, "*", &[("job", "01KATN2Q7G8XJ4W2M9T6B3D5F7")]).await?;
        let read: StreamReadReply = redis.xread_options(&[STREAM], &[">"], &next).await?;
        let entry = &read.keys.first().and_then(|key| key.ids.first()).ok_or("a ring is lost")?.id;
        let _: () =
            redis::pipe().xack(STREAM, "group", &[entry]).xdel(STREAM, &[entry]).query_async(&mut redis).await?;
    }
    Ok(per_second(count, watch.elapsed()))
}

/// Measures how many times a second `act` completes, with `slots` of them in flight at once.
async fn rate(slots: usize, count: usize, act: impl AsyncFn(usize) -> Measured<()>) -> Measured<f64> {
    let next = AtomicUsize::new(0);
    let watch = Stopwatch::start();
    let slots = (0..slots).map(async |_| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Measured::Ok(());
            }
            act(number).await?;
        }
    });
    try_join_all(slots).await?;
    Ok(per_second(count, watch.elapsed()))
}
