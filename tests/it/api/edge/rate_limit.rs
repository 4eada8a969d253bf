//! Limits that several API processes share through Redis, and what becomes of them while Redis is away.

use std::sync::Arc;

use poem::test::TestClient;
use poem::{Endpoint, Response};
use reqwest::Url;
use songda::api::edge::limits::buckets::Buckets;
use songda::auth::tokens::Tokens;
use songda::demo::fresh_key;
use songda::domain::kernel::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::{Read, buckets, edge, now, sample, token, tokens};
use crate::support::desk::wait_until;
use crate::support::proxy::{Line, Proxy};
use crate::support::servers::Servers;

/// One of several processes of an installation.
struct Process<E> {
    server: TestClient<E>,
    buckets: Arc<Buckets>,
}

/// A process whose callers may ask so often a minute. It tells Redis of nobody by itself.
fn process(
    tokens: &Tokens,
    redis: &str,
    prefix: &str,
    quota: u32,
) -> Process<impl Endpoint<Output = Response> + use<>> {
    let mut edge = edge(tokens, &[("SONGDA_RATE_MOBILE", &quota.to_string())]);
    let buckets = Arc::new(buckets(redis, prefix, Clock::frozen(now())));
    edge.limit_rate.buckets = Arc::clone(&buckets);
    Process { server: sample::server_at(edge), buckets }
}

impl<E: Endpoint<Output = Response>> Process<E> {
    /// Asks as somebody; the status, and how many more requests may follow.
    async fn ask(&self, caller: &str) -> (u16, String) {
        let request = self.server.get("/v1/notes").header("authorization", format!("Bearer {caller}"));
        let answer = Read::of(request.send().await).await;
        let left = answer.header("ratelimit").unwrap().split(';').nth(1).unwrap().to_owned();
        (answer.status.as_u16(), left)
    }

    /// Tells Redis of its callers while it is waited for something.
    async fn telling(&self, what: &str, holds: impl AsyncFnMut() -> bool) {
        tokio::select! {
            () = self.buckets.tell(CancellationToken::new()) => panic!("it tells as long as the process lives"),
            () = wait_until(what, holds) => {}
        }
    }
}

fn said(status: u16, left: &str) -> (u16, String) {
    (status, left.to_owned())
}

fn redis_url() -> String {
    Servers::shared().redis().to_owned()
}

async fn redis() -> redis::aio::MultiplexedConnection {
    redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// What Redis was told, by its keys.
async fn known_to_redis(prefix: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis().await).await.unwrap()
}

async fn empty_redis(prefix: &str) {
    let keys = known_to_redis(prefix).await;
    let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut redis().await).await.unwrap();
}

#[tokio::test]
async fn processes_share_a_limit_and_an_empty_redis_begins_anew() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let (here, there) = (process(&tokens, &redis_url(), &prefix, 2), process(&tokens, &redis_url(), &prefix, 2));
    let (one, other) = (token(&tokens, "person", now()), token(&tokens, "person", now()));
    assert_eq!(here.ask(&one).await, said(200, "r=1"));
    assert_eq!(there.ask(&one).await, said(200, "r=0"));
    assert_eq!(here.ask(&one).await, said(429, "r=0"));
    assert_eq!(there.ask(&other).await, said(200, "r=1"), "everybody has a quota of their own");
    empty_redis(&prefix).await;
    assert_eq!(there.ask(&one).await, said(200, "r=1"));
}

/// A twentieth of twenty is one: the second request of a caller that Redis was not told of asks Redis.
#[tokio::test]
async fn a_process_counts_a_share_by_itself_and_then_together_with_the_others() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let (here, there) = (process(&tokens, &redis_url(), &prefix, 20), process(&tokens, &redis_url(), &prefix, 20));
    let one = token(&tokens, "person", now());
    assert_eq!(here.ask(&one).await, said(200, "r=19"));
    assert!(known_to_redis(&prefix).await.is_empty(), "nobody waited for Redis");
    here.telling("Redis hears of it", async || !known_to_redis(&prefix).await.is_empty()).await;
    assert_eq!(there.ask(&one).await, said(200, "r=19"), "it has not asked yet");
    assert_eq!(there.ask(&one).await, said(200, "r=17"), "one there, two here");
    assert_eq!(there.ask(&one).await, said(200, "r=16"), "it goes on from what it heard");
}

#[tokio::test]
async fn what_two_processes_let_through_exceeds_the_limit_by_no_more_than_their_shares() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let (here, there) = (process(&tokens, &redis_url(), &prefix, 20), process(&tokens, &redis_url(), &prefix, 20));
    let one = token(&tokens, "person", now());
    let mut through = 0;
    for process in [&here, &there] {
        for _ in 0..30 {
            through += u32::from(process.ask(&one).await.0 == 200);
        }
    }
    // The quota, a share, and what time gives back while this runs: one in three seconds.
    assert!((20..=22).contains(&through), "{through}");
    assert_eq!(here.ask(&one).await, said(429, "r=0"));
}

#[tokio::test]
async fn while_redis_is_away_each_process_goes_on_by_itself() {
    let (tokens, prefix) = (tokens(), format!("it:{}:", fresh_key()));
    let mut url: Url = redis_url().parse().unwrap();
    let address = url.socket_addrs(|| Some(6379)).unwrap()[0];
    for outage in [Line::Silent, Line::Cut] {
        let proxy = Proxy::before(address).await;
        url.set_ip_host(proxy.address().ip()).unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        let (here, there) = (process(&tokens, url.as_str(), &prefix, 2), process(&tokens, &redis_url(), &prefix, 2));
        let (one, other) = (token(&tokens, "person", now()), token(&tokens, "person", now()));
        assert_eq!(there.ask(&one).await, said(200, "r=1"));
        assert_eq!(here.ask(&one).await, said(200, "r=0"));
        assert_eq!(there.ask(&other).await, said(200, "r=1"));

        proxy.set(outage);
        assert_eq!(here.ask(&one).await, said(429, "r=0"), "{outage:?}: what it knew it still knows");
        for expected in [said(200, "r=1"), said(200, "r=0"), said(429, "r=0")] {
            assert_eq!(here.ask(&other).await, expected, "{outage:?}");
        }
        proxy.set(Line::Open);
        here.telling("they count together again", async || {
            let somebody = token(&tokens, "person", now());
            here.ask(&somebody).await.0 == 200 && there.ask(&somebody).await == said(200, "r=0")
        })
        .await;
    }
}
