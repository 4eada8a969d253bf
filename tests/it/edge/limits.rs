//! Limits that several API processes share through Redis, and what becomes of them while Redis is away.

use std::sync::Arc;
use std::time::Duration;

use poem::test::TestClient;
use poem::{Endpoint, Response};
use reqwest::Url;
use songda::api::edge::rate_limit::LocalBuckets;
use songda::api::edge::shared_buckets::SharedBuckets;
use songda::casework::tokens::Tokens;
use songda::demo::fresh_key;
use songda::queue::Queue;

use super::{Read, edge, notes, now, token, tokens};
use crate::harness::wait_until;
use crate::proxy::{Line, Proxy};
use crate::servers::Servers;

/// One of several processes of an installation, whose callers may ask twice a minute.
fn process(tokens: &Tokens, redis: &str, prefix: &str) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    let mut edge = edge(tokens, &[("SONGDA_RATE_MOBILE", "2")]);
    let queue = Queue::new(&redis.parse().unwrap(), prefix).unwrap();
    edge.limit_rate.buckets = Arc::new(SharedBuckets::new(queue, LocalBuckets::new(100), Duration::from_secs(10)));
    notes::server_at(edge)
}

/// Asks as somebody; the status, and how many more requests may follow.
async fn ask<E: Endpoint<Output = Response>>(process: &TestClient<E>, caller: &str) -> (u16, String) {
    let request = process.get("/v1/notes").header("authorization", format!("Bearer {caller}"));
    let answer = Read::of(request.send().await).await;
    let left = answer.header("ratelimit").unwrap().split(';').nth(1).unwrap().to_owned();
    (answer.status.as_u16(), left)
}

fn said(status: u16, left: &str) -> (u16, String) {
    (status, left.to_owned())
}

fn redis_url() -> String {
    Servers::shared().redis().to_owned()
}

async fn empty_redis(prefix: &str) {
    let mut redis = redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.unwrap();
    let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut redis).await.unwrap();
}

#[tokio::test]
async fn processes_share_a_limit_and_an_empty_redis_begins_anew() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let (here, there) = (process(&tokens, &redis_url(), &prefix), process(&tokens, &redis_url(), &prefix));
    let (one, other) = (token(&tokens, "person", now()), token(&tokens, "person", now()));
    assert_eq!(ask(&here, &one).await, said(200, "r=1"));
    assert_eq!(ask(&there, &one).await, said(200, "r=0"));
    assert_eq!(ask(&here, &one).await, said(429, "r=0"));
    assert_eq!(ask(&there, &other).await, said(200, "r=1"), "everybody has a quota of their own");
    empty_redis(&prefix).await;
    assert_eq!(ask(&there, &one).await, said(200, "r=1"));
}

#[tokio::test]
async fn while_redis_is_away_each_process_counts_for_itself() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let mut url: Url = redis_url().parse().unwrap();
    let address = url.socket_addrs(|| Some(6379)).unwrap()[0];
    for outage in [Line::Silent, Line::Cut] {
        let proxy = Proxy::before(address).await;
        url.set_ip_host(proxy.address().ip()).unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        let (here, there) = (process(&tokens, url.as_str(), &prefix), process(&tokens, &redis_url(), &prefix));
        let one = token(&tokens, "person", now());
        assert_eq!(ask(&there, &one).await, said(200, "r=1"));
        assert_eq!(ask(&here, &one).await, said(200, "r=0"));

        proxy.set(outage);
        for expected in [said(200, "r=1"), said(200, "r=0"), said(429, "r=0")] {
            assert_eq!(ask(&here, &one).await, expected, "{outage:?}");
        }
        proxy.set(Line::Open);
        wait_until(Duration::from_secs(20), "they count together again", async || {
            let somebody = token(&tokens, "person", now());
            ask(&here, &somebody).await.0 == 200 && ask(&there, &somebody).await == said(200, "r=0")
        })
        .await;
    }
}
