//! Rate limits that several API processes share through Redis, and how they work while Redis is away.

use std::sync::Arc;
use std::time::Duration;

use poem::test::TestClient;
use poem::{Endpoint, Response};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::Url;
use songda::api::edge::limits::gcra::{Gcra, RatePolicy};
use songda::api::edge::limits::quotas::Quotas;
use songda::auth::tokens::Tokens;
use songda::demo::fresh_key;
use songda::domain::kernel::clock::Clock;
use songda::queue::Queue;
use songda::queue::limiter::Quota;
use tokio_util::sync::CancellationToken;

use super::{edge, quotas, sample};
use crate::support::edge::{Read, now, token, tokens};
use crate::support::proxy::{Link, Proxy};
use crate::support::servers::Servers;
use crate::support::wait::wait_until;

/// One of several API processes of an installation.
struct Process<E> {
    server: TestClient<E>,
    quotas: Arc<Quotas>,
}

/// Makes a process that allows each caller `quota` requests a minute. It reports to Redis how many requests it has
/// counted, but only while [`Process::reporting_until`] runs.
fn process(
    tokens: &Tokens,
    redis: &str,
    prefix: &str,
    quota: u32,
) -> Process<impl Endpoint<Output = Response> + use<>> {
    let mut edge = edge(tokens, &[("SONGDA_RATE_MOBILE", &quota.to_string())]);
    let quotas = Arc::new(quotas(redis, prefix, Clock::frozen(now())));
    edge.rate_limits.quotas = Arc::clone(&quotas);
    Process { server: sample::server_at(edge), quotas }
}

impl<E: Endpoint<Output = Response>> Process<E> {
    /// Sends a request. Returns the status and the remaining quota.
    async fn ask(&self, caller: &str) -> (u16, String) {
        let request = self.server.get("/v1/notes").header("authorization", format!("Bearer {caller}"));
        let reply = Read::of(request.send().await).await;
        let left = reply.header("ratelimit").unwrap().split(';').nth(1).unwrap().to_owned();
        (reply.status.as_u16(), left)
    }

    /// Lets the process report to Redis until a condition holds.
    async fn reporting_until(&self, what: &str, holds: impl AsyncFnMut() -> bool) {
        tokio::select! {
            () = self.quotas.report(CancellationToken::new()) => panic!("it reports as long as the process lives"),
            () = wait_until(what, holds) => {}
        }
    }
}

fn answer(status: u16, left: &str) -> (u16, String) {
    (status, left.to_owned())
}

fn redis_url() -> String {
    Servers::shared().redis().to_owned()
}

/// Returns the keys that Redis has under this prefix: one for each caller whose requests it counts.
async fn known_to_redis(prefix: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut Servers::shared().plain_redis().await).await.unwrap()
}

async fn empty_redis(prefix: &str) {
    let keys = known_to_redis(prefix).await;
    let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut Servers::shared().plain_redis().await).await.unwrap();
}

#[tokio::test]
async fn processes_share_a_limit_and_an_emptied_redis_restarts_it() {
    let tokens = tokens();
    let prefix = format!("it:{}:", fresh_key());
    let here = process(&tokens, &redis_url(), &prefix, 2);
    let there = process(&tokens, &redis_url(), &prefix, 2);
    let one = token(&tokens, "person", now());
    let other = token(&tokens, "person", now());
    assert_eq!(here.ask(&one).await, answer(200, "r=1"));
    assert_eq!(there.ask(&one).await, answer(200, "r=0"));
    assert_eq!(here.ask(&one).await, answer(429, "r=0"));
    assert_eq!(there.ask(&other).await, answer(200, "r=1"), "each caller has a quota");
    empty_redis(&prefix).await;
    assert_eq!(there.ask(&one).await, answer(200, "r=1"));
}

/// A process allows a twentieth of a quota (the local share) before it reports to Redis or asks it. Of a quota of
/// twenty that is one request. So a caller's second request waits for Redis, unless the first has been reported
/// meanwhile.
#[tokio::test]
async fn a_process_counts_its_local_share_alone_and_further_requests_with_the_others() {
    let tokens = tokens();
    let prefix = format!("it:{}:", fresh_key());
    let here = process(&tokens, &redis_url(), &prefix, 20);
    let there = process(&tokens, &redis_url(), &prefix, 20);
    let one = token(&tokens, "person", now());
    assert_eq!(here.ask(&one).await, answer(200, "r=19"));
    assert!(known_to_redis(&prefix).await.is_empty(), "the request did not wait for Redis");
    here.reporting_until("the request is reported to Redis", async || !known_to_redis(&prefix).await.is_empty()).await;
    assert_eq!(there.ask(&one).await, answer(200, "r=19"), "this process has not asked Redis yet");
    assert_eq!(there.ask(&one).await, answer(200, "r=17"), "one request there, two here");
    assert_eq!(there.ask(&one).await, answer(200, "r=16"), "it counts on from Redis's answer");
}

#[tokio::test]
async fn two_processes_exceed_a_limit_by_their_local_shares_at_most() {
    let tokens = tokens();
    let prefix = format!("it:{}:", fresh_key());
    let here = process(&tokens, &redis_url(), &prefix, 20);
    let there = process(&tokens, &redis_url(), &prefix, 20);
    let one = token(&tokens, "person", now());
    let mut allowed = 0;
    for process in [&here, &there] {
        for _ in 0..30 {
            allowed += u32::from(process.ask(&one).await.0 == 200);
        }
    }
    // At most the quota of 20, one local share, and one request that is refilled while the test runs (one in three
    // seconds).
    assert!((20..=22).contains(&allowed), "{allowed}");
    assert_eq!(here.ask(&one).await, answer(429, "r=0"));
}

#[tokio::test]
async fn each_process_limits_by_itself_while_redis_is_away() {
    let tokens = tokens();
    let prefix = format!("it:{}:", fresh_key());
    let mut url: Url = redis_url().parse().unwrap();
    let address = url.socket_addrs(|| Some(6379)).unwrap()[0];
    for outage in [Link::Silent, Link::Cut] {
        let proxy = Proxy::before(address).await;
        url.set_ip_host(proxy.address().ip()).unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        let here = process(&tokens, url.as_str(), &prefix, 2);
        let there = process(&tokens, &redis_url(), &prefix, 2);
        let one = token(&tokens, "person", now());
        let other = token(&tokens, "person", now());
        assert_eq!(there.ask(&one).await, answer(200, "r=1"));
        assert_eq!(here.ask(&one).await, answer(200, "r=0"));
        assert_eq!(there.ask(&other).await, answer(200, "r=1"));

        proxy.set(outage);
        assert_eq!(here.ask(&one).await, answer(429, "r=0"), "{outage:?}: it remembers what it counted");
        for expected in [answer(200, "r=1"), answer(200, "r=0"), answer(429, "r=0")] {
            assert_eq!(here.ask(&other).await, expected, "{outage:?}");
        }
        proxy.set(Link::Open);
        here.reporting_until("the processes count together again", async || {
            let caller = token(&tokens, "person", now());
            here.ask(&caller).await.0 == 200 && there.ask(&caller).await == answer(200, "r=0")
        })
        .await;
    }
}

/// One step of a sequence: a process reports requests that it has allowed, and then asks for one more.
#[derive(Debug, Clone, Copy)]
struct Ask {
    reported: u32,
}

/// The process has a frozen clock, and Redis a real one. The window is a thousand hours, so what Redis refills while
/// the test runs is too little to matter.
#[tokio::test]
async fn a_process_and_redis_decide_the_same_sequence_alike() {
    let queue = Queue::new(&redis_url().parse().unwrap(), &format!("it:{}:", fresh_key())).unwrap();
    let asks = vec((0..4u32).prop_map(|reported| Ask { reported }), 1..60);
    let sequences = (1..50u32, asks);
    let mut runner = TestRunner::deterministic();
    for caller in 0..20 {
        let (quota, asks) = sequences.new_tree(&mut runner).unwrap().current();
        let policy = RatePolicy { name: "alike", quota, window: Duration::from_secs(3_600_000) };
        let caller = caller.to_string();
        let shared = Quota { name: policy.name, caller: &caller, requests: policy.quota, window: policy.window };
        let mut full_in = Duration::ZERO;
        for (at, ask) in asks.iter().enumerate() {
            let mut here = Gcra::full_at(now() + full_in + policy.each() * ask.reported);
            let here = here.take(&policy, now());
            let spent = queue.spend(&shared, ask.reported).await.unwrap();
            let there = policy.decision(spent.allowed, spent.full_in);
            let words = (here.allowed, here.remaining);
            assert_eq!((there.allowed, there.remaining), words, "quota {quota}, step {at} of {asks:?}");
            full_in = here.full_in;
        }
    }
}
