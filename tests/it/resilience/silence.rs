//! A line falls silent, and nobody is told: not the process that waits for an answer, and not PostgreSQL, which has locked
//! what others need. Both give it up, and work goes on over new lines.

use futures_util::StreamExt;
use reqwest::Url;
use songda::demo::http::Caller;
use songda::demo::{fresh_key, fresh_phone, wait};
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::PersonId;
use songda::queue::Queue;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, PATIENCE, wait_until};
use crate::support::office::{Decided, KnownOffice, came_once, decide, result};
use crate::support::proxy::Proxy;
use crate::support::servers::{DATABASE, REDIS, Servers};

/// Keeps everybody from changing a table, so that a statement that would is surely under way.
pub async fn lock(desk: &Desk, table: &str) -> Transaction<'static, Postgres> {
    let mut lock = desk.database.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(format!("lock table {table} in exclusive mode"))).execute(&mut *lock).await.unwrap();
    lock
}

/// Waits until somebody waits for a lock of this desk's database.
async fn somebody_waits(desk: &Desk) {
    let waits = "select exists (select from pg_locks where not granted
                 and database = (select oid from pg_database where datname = current_database()))";
    let waits = async || sqlx::query_scalar(waits).fetch_one(&desk.database).await.unwrap();
    wait_until("somebody waits for the lock", waits).await;
}

#[tokio::test]
async fn a_worker_settles_over_another_line() {
    let desk = Desk::open_idle(&QUICK).await;
    let line = Proxy::before(Servers::shared().places()[0]).await;
    let decided = decide(&desk, 3).await;
    // A settlement changes jobs first, and notifications after them.
    let lock = lock(&desk, "notifications").await;
    let (_server, mut worker) = desk.processes_over(&line, DATABASE).await;
    somebody_waits(&desk).await;
    line.lose();
    lock.commit().await.unwrap();
    came_once(&desk, &decided).await;
    assert_eq!(worker.try_wait().unwrap(), None, "it is the same worker");
    desk.close().await;
}

/// Whoever listens for news on a line that is lost hears of it, and listens on another one.
#[tokio::test]
async fn a_listener_gives_a_silent_line_up() {
    let desk = Desk::open_idle(&[]).await;
    let line = Proxy::before(Servers::shared().places()[1]).await;
    let mut url: Url = Servers::shared().redis().parse().unwrap();
    url.set_port(Some(line.address().port())).unwrap();
    let queue = Queue::new(&url.as_str().parse().unwrap(), desk.redis_prefix()).unwrap();
    let somebody = fresh(PersonId::from_uuid);
    let mut news = Box::pin(queue.listen().await.unwrap());
    desk.queue().announce(&[somebody]).await.unwrap();
    assert_eq!(news.next().await, Some(vec![somebody]));
    line.lose();
    let ended = tokio::time::timeout(PATIENCE, async { while news.next().await.is_some() {} }).await;
    assert!(ended.is_ok(), "it listens to nothing for ever");
    assert!(queue.listen().await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn an_api_takes_decisions_over_another_line() {
    let desk = Desk::open_idle(&QUICK).await;
    let line = Proxy::before(Servers::shared().places()[0]).await;
    let (server, _worker) = desk.processes_over(&line, DATABASE).await;
    let known = KnownOffice::new(&desk).await;
    let api = server.api.with_token(known.token(&desk).await);
    let phones = [fresh_phone(), fresh_phone()];

    let lock = lock(&desk, "cases").await;
    let trouble = async {
        somebody_waits(&desk).await;
        line.lose();
        lock.commit().await.unwrap();
    };
    let [first, second] = phones.each_ref().map(|phone| taken(&api, &known.source, phone));
    let (first, second, ()) = tokio::join!(first, second, trouble);
    came_once(&desk, &[first, second]).await;
    desk.close().await;
}

#[tokio::test]
async fn redis_is_heard_over_another_line() {
    let desk = Desk::open_idle(&QUICK).await;
    let line = Proxy::before(Servers::shared().places()[1]).await;
    let (server, _worker) = desk.processes_over(&line, REDIS).await;
    let status = async || server.api.get("/readyz").success().await.unwrap().text("/status").unwrap();
    assert_eq!(status().await, "ok");
    line.lose();
    wait_until("Redis is found again", async || status().await == "ok").await;
    came_once(&desk, &decide(&desk, 3).await).await;
    assert!(line.struck() > 0, "some lines were lost");
    desk.close().await;
}

/// Hands a decision in until it is taken.
async fn taken(api: &Caller, source: &str, phone: &str) -> Decided {
    let (mut row, key) = (result(phone), fresh_key());
    let reference = row.as_object_mut().unwrap().remove("ref").unwrap();
    let path = format!("/integration/v1/results/{source}/{}", reference.as_str().unwrap());
    let ask = async || {
        let Ok(reply) = api.put(&path).once(&key).json(&row).answer().await else { return Ok(None) };
        if reply.status.is_success() { reply.text("/number").map(Some) } else { Ok(None) }
    };
    let number = wait::until("the decision is taken", PATIENCE, ask).await.unwrap();
    Decided::by_phone(number, phone.to_owned())
}
