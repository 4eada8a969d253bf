//! A connection falls silent without being closed. Neither the process that waits for an answer nor PostgreSQL, which
//! holds locks for it, gets any sign. Both give the connection up after a time-out, and work goes on over new
//! connections.

use futures_util::StreamExt;
use reqwest::Url;
use songda::demo::{fresh_key, fresh_phone, wait};
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::PersonId;
use songda::queue::Queue;

use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::locks::{lock, wait_for_blocked};
use crate::support::office::{Office, decide, result};
use crate::support::proxy::Proxy;
use crate::support::servers::{DATABASE, REDIS, Servers};
use crate::support::settings::QUICK;
use crate::support::wait::{TIMEOUT, wait_until};

async fn quick_desk() -> Desk {
    Desk::builder().settings(&QUICK).without_worker().open().await
}

#[tokio::test]
async fn a_worker_whose_connection_falls_silent_settles_over_another_one() {
    let desk = quick_desk().await;
    let proxy = Proxy::before(Servers::shared().addresses()[0]).await;
    let decided = decide(&desk, 3).await;
    // A settlement changes jobs first and notifications after them, so it waits for this lock within its transaction.
    let lock = lock(&desk, "notifications").await;
    let (_server, mut worker) = desk.processes_behind(&proxy, DATABASE).await;
    wait_for_blocked(&desk).await;
    proxy.lose();
    lock.commit().await.unwrap();
    assert_arrived_once(&desk, &decided).await;
    assert_eq!(worker.try_wait().unwrap(), None, "it is the same worker");
    desk.close().await;
}

#[tokio::test]
async fn a_listener_notices_a_silent_connection_and_can_listen_again() {
    let desk = Desk::builder().without_worker().open().await;
    let proxy = Proxy::before(Servers::shared().addresses()[1]).await;
    let mut url: Url = Servers::shared().redis().parse().unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    let queue = Queue::new(&url.as_str().parse().unwrap(), desk.redis_prefix()).unwrap();
    let person = fresh(PersonId::from_uuid);
    let mut news = Box::pin(queue.listen().await.unwrap());
    desk.queue().announce(&[person]).await.unwrap();
    assert_eq!(news.next().await, Some(vec![person]));
    proxy.lose();
    let ended = tokio::time::timeout(TIMEOUT, async { while news.next().await.is_some() {} }).await;
    assert!(ended.is_ok(), "it does not listen to a lost connection for ever");
    assert!(queue.listen().await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn an_api_whose_connection_falls_silent_accepts_decisions_over_another_one() {
    let desk = quick_desk().await;
    let proxy = Proxy::before(Servers::shared().addresses()[0]).await;
    let (server, _worker) = desk.processes_behind(&proxy, DATABASE).await;
    let office = Office::register(&desk).await.at(&server.api);
    let phones = [fresh_phone(), fresh_phone()];

    let lock = lock(&desk, "cases").await;
    let trouble = async {
        wait_for_blocked(&desk).await;
        proxy.lose();
        lock.commit().await.unwrap();
    };
    let [first, second] = phones.each_ref().map(|phone| report_until_accepted(&office, phone));
    let (first, second, ()) = tokio::join!(first, second, trouble);
    assert_arrived_once(&desk, &[first, second]).await;
    desk.close().await;
}

#[tokio::test]
async fn processes_whose_connections_to_redis_fall_silent_reach_it_over_others() {
    let desk = quick_desk().await;
    let proxy = Proxy::before(Servers::shared().addresses()[1]).await;
    let (server, _worker) = desk.processes_behind(&proxy, REDIS).await;
    let status = async || server.api.get("/readyz").success().await.unwrap().text("/status").unwrap();
    assert_eq!(status().await, "ok");
    proxy.lose();
    wait_until("Redis is reached again", async || status().await == "ok").await;
    assert_arrived_once(&desk, &decide(&desk, 3).await).await;
    assert!(proxy.struck() > 0, "some connections were lost");
    desk.close().await;
}

/// Reports a decision until it is accepted: again after any other answer, and again if no answer comes.
async fn report_until_accepted(office: &Office, phone: &str) -> Decided {
    let row = result(phone);
    let key = fresh_key();
    let ask = async || {
        let Ok(reply) = office.try_put(&key, &row).await else { return Ok(None) };
        if reply.status.is_success() { reply.text("/number").map(Some) } else { Ok(None) }
    };
    let number = wait::until("the decision is accepted", TIMEOUT, ask).await.unwrap();
    Decided::by_phone(number, phone)
}
