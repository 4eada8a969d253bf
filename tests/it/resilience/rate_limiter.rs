//! The rate limiter of lanes and callers: it never allows more than the rate, and it loses no permit.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use songda::domain::kernel::clock::{Stopwatch, fresh_uuid};
use songda::domain::kernel::pace::Pace;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::job::Lane;
use songda::queue::Queue;
use songda::queue::limiter::Quota;

use crate::support::desk::Desk;
use crate::support::wait::wait_until;

const STORIES: usize = 40;

#[derive(Debug, Clone, Copy)]
enum Event {
    Take(usize),
    TakeForCodes(usize),
    GiveBack(usize),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0_usize..30).prop_map(Event::Take),
        (0_usize..4).prop_map(Event::TakeForCodes),
        (0_usize..10).prop_map(Event::GiveBack),
    ]
}

/// Returns some values of a strategy, the same in each run.
fn samples<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..STORIES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test]
async fn a_lane_gets_all_that_its_rate_allows_and_never_more() {
    let desk = Desk::builder().without_worker().open().await;
    let story = (1_u32..60, prop::collection::vec(any_event(), 1..40));
    for (per_second, events) in samples(&story) {
        play(&desk.queue(), Pace { per_second, slots: 1 }, &events).await;
    }
    desk.close().await;
}

/// Plays the events on a lane's token bucket, and checks two bounds. Each call gives all permits that it wants, or at
/// least those that the bucket would hold without any refill. All calls together give at most a full bucket, the
/// advance for sign-in codes, and the refill of the time that passed.
async fn play(queue: &Queue, pace: Pace, events: &[Event]) {
    let channel = ChannelCode::new(fresh_uuid().as_simple().to_string());
    let [pushes, codes] = [Lane::push(&channel), Lane::login(&channel)];
    let size = i64::from(pace.per_second);
    let advance = (size / 10).max(1);
    let mut at_least = size;
    let mut drawn = 0;
    let since = Stopwatch::start();
    for event in events {
        let (lane, wanted, ahead) = match *event {
            Event::Take(wanted) => (&pushes, wanted, 0),
            Event::TakeForCodes(wanted) => (&codes, wanted, advance),
            Event::GiveBack(unused) => {
                queue.give_back(&pushes, pace, unused).await.unwrap();
                at_least = size.min(at_least + unused as i64);
                drawn -= unused as i64;
                continue;
            }
        };
        let taken = queue.take(lane, pace, wanted).await.unwrap() as i64;
        assert!(taken >= (wanted as i64).min(at_least + ahead), "{event:?} of {pace:?}: {taken}, {at_least} held");
        at_least -= taken;
        drawn += taken;
        // Redis reads its clock during the call and rounds it down to microseconds, so the refill can be two
        // microseconds larger.
        let refilled = (since.elapsed() + Duration::from_micros(2)).as_secs_f64() * size as f64;
        let at_most = (size + advance) as f64 + refilled;
        assert!(drawn as f64 <= at_most, "{event:?} of {pace:?}: {drawn} drawn, {at_most} allowed");
    }
}

/// A quota is refilled over its window. Here the window is an hour, so the refill during the test is less than one
/// request. `missing`, the number of requests that are expected to be gone from the quota, leaves the refill out.
#[tokio::test]
async fn a_caller_owes_what_was_let_through_beyond_its_quota() {
    let desk = Desk::builder().without_worker().open().await;
    let queue = desk.queue();
    let window = Duration::from_secs(3_600);
    let story = (1_u32..15, prop::collection::vec((0_u32..4, any::<bool>()), 1..30));
    for (requests, events) in samples(&story) {
        let caller = fresh_uuid().to_string();
        let quota = Quota { name: "test", caller: &caller, requests, window };
        let mut missing = 0;
        for (spent, wants_more) in events {
            missing += spent;
            let full_in = if wants_more {
                let answer = queue.spend(&quota, spent).await.unwrap();
                assert_eq!(answer.allowed, missing < requests, "{missing} of {requests} are missing");
                missing += u32::from(answer.allowed);
                answer.full_in
            } else {
                queue.charge(&quota, spent).await.unwrap()
            };
            let expected = window * missing / requests;
            assert!(full_in <= expected + Duration::from_micros(1), "{full_in:?}, {expected:?}");
            assert!(full_in + Duration::from_secs(60) > expected, "{full_in:?}, {expected:?}");
        }
    }
    desk.close().await;
}

/// A fail-over can lead to a Redis server whose clock is slow. Then the time that is stored for a lane is in the
/// future, and the lane must not wait for it.
#[tokio::test]
async fn a_clock_that_was_set_back_does_not_stop_a_lane() {
    let desk = Desk::builder().without_worker().open().await;
    let queue = desk.queue();
    let lane = Lane::push(&ChannelCode::new("owl"));
    let pace = Pace { per_second: 100, slots: 1 };
    let mut redis = desk.redis().await;
    let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
    let in_an_hour = (seconds + 3_600) * 1_000_000;
    let key = format!("{}{{{lane}}}:rate", desk.redis_prefix());
    redis::cmd("SET").arg(&key).arg(in_an_hour).query_async::<()>(&mut redis).await.unwrap();
    wait_until("calls are made again", async || queue.take(&lane, pace, 1).await.unwrap() == 1).await;
    desk.close().await;
}
