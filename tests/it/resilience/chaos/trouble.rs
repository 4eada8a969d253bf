//! Makes trouble of every kind. A separate task makes each kind, concurrently with all others, and counts each strike.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::deaths;
use super::dice::Dice;
use super::plan::Plan;
use super::town::Town;
use crate::support::proxy::{Link, Proxy};

/// Makes trouble until enough faults struck or time is up, and then ends all of it.
pub async fn make(town: &Town, plan: &Plan) {
    let enough = CancellationToken::new();
    let dice = |name| Dice::new(plan.seed, name);
    tokio::join!(
        until_enough(town, plan, &enough),
        processes(town, dice("processes"), &enough),
        connections(town, dice("connections"), &enough),
        servers(town, dice("servers"), &enough),
        gateways(town, plan, dice("gateways"), &enough),
        disk(town, dice("disk"), &enough),
        deaths::die(town, plan, &enough),
    );
    for process in town.processes() {
        process.kill(0).await;
    }
}

/// Asks the proxies how many connections they have disturbed, and the sandbox how many calls each fault has struck.
/// Writes both into the tally.
pub async fn take_stock(town: &Town) {
    for at in 0..3 {
        let struck = town.proxies.iter().map(|proxies| proxies.all()[at].1.struck()).sum();
        town.tally.set(&format!("connection to {} cut, lost, silent or slow", town.proxies[0].all()[at].0), struck);
    }
    town.tally.set("connection to the APIs cut, lost, silent or slow", town.balancer.struck());
    let Ok(faults) = town.control.get("/_sandbox/faults").success().await else { return };
    for (fault, struck) in faults.body["injected"].as_object().into_iter().flatten() {
        town.tally.set(&format!("gateway: {fault}"), struck.as_u64().unwrap_or_default());
    }
}

async fn until_enough(town: &Town, plan: &Plan, enough: &CancellationToken) {
    const POLL_EVERY: Duration = Duration::from_secs(1);
    let watch = songda::domain::kernel::clock::Stopwatch::start();
    let mut minute = 0;
    while watch.elapsed() < plan.at_most {
        tokio::time::sleep(POLL_EVERY).await;
        take_stock(town).await;
        let total = town.tally.total();
        let deaths = deaths::fewest_deaths(town);
        if watch.elapsed().as_secs() / 60 > minute {
            minute = watch.elapsed().as_secs() / 60;
            eprintln!("chaos: minute {minute}: {total} faults struck; each step killed {deaths} times");
        }
        if watch.elapsed() > plan.at_least && total >= plan.faults && deaths >= plan.kills {
            break;
        }
    }
    enough.cancel();
}

/// Waits for `time`. Returns false if `enough` was cancelled meanwhile, which means that no more trouble is wanted.
async fn wait(enough: &CancellationToken, time: Duration) -> bool {
    enough.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
}

/// Kills and stops processes, and restarts some of them with a wrong clock.
async fn processes(town: &Town, mut dice: Dice, enough: &CancellationToken) {
    /// The greatest error of a clock, in seconds. With a greater one, gateways refuse the signatures.
    const WRONG_BY: usize = 240;
    let all: Vec<_> = town.processes().collect();
    while wait(enough, dice.millis(500, 3_000)).await {
        let process = *dice.pick(&all);
        let part = process.name.split('-').next().unwrap();
        match dice.below(10) {
            0..5 => {
                process.kill(0).await;
                town.tally.count(&format!("SIGKILL of a {part}"));
            }
            5..7 => {
                process.kill(i64::try_from(dice.below(2 * WRONG_BY)).unwrap() - WRONG_BY as i64).await;
                town.tally.count(&format!("SIGKILL of a {part}"));
                town.tally.count(&format!("{part} with a wrong clock"));
            }
            _ => {
                let longest = if dice.chance(20) { 15_000 } else { 3_000 };
                let pause = process.pause(dice.millis(100, longest));
                if enough.run_until_cancelled(pause).await.is_some() {
                    town.tally.count(&format!("SIGSTOP of a {part}"));
                }
            }
        }
    }
}

/// Cuts connections, slows them down, silences them for a while, or silences them for good.
async fn connections(town: &Town, mut dice: Dice, enough: &CancellationToken) {
    let mut all: Vec<&Proxy> = town.proxies.iter().flat_map(|proxies| proxies.all().map(|(_, proxy)| proxy)).collect();
    all.push(&town.balancer);
    while wait(enough, dice.millis(200, 1_200)).await {
        let proxy = *dice.pick(&all);
        match dice.below(10) {
            0..4 => {
                proxy.set(Link::Cut);
                wait(enough, dice.millis(1, 1_500)).await;
            }
            4..6 => {
                proxy.set(Link::Slow(dice.millis(5, 200)));
                wait(enough, dice.millis(500, 3_000)).await;
            }
            6..8 => {
                proxy.set(Link::Silent);
                wait(enough, dice.millis(500, 6_000)).await;
                if dice.chance(50) {
                    proxy.set(Link::Cut);
                }
            }
            _ => proxy.lose(),
        }
        proxy.set(Link::Open);
    }
}

/// Stops and crashes PostgreSQL; kills, empties and fills Redis.
async fn servers(town: &Town, mut dice: Dice, enough: &CancellationToken) {
    const KINDS: [&str; 6] = [
        "PostgreSQL stopped and started",
        "PostgreSQL crashed and started",
        "Redis killed and started",
        "Redis killed and started empty",
        "FLUSHALL",
        "Redis full",
    ];
    let mut next = dice.below(KINDS.len());
    while wait(enough, dice.millis(1_500, 8_000)).await {
        let kind = KINDS[next % KINDS.len()];
        let away = dice.millis(50, 2_000);
        next += 1;
        let struck = match kind {
            "FLUSHALL" => flush(town).await.is_ok(),
            "Redis full" => fill(town, away).await.unwrap_or_default(),
            _ => {
                let mut own = town.own.lock().await;
                let (server, how) = match kind {
                    "PostgreSQL stopped and started" => ("postgres", "stop postgres fast"),
                    "PostgreSQL crashed and started" => ("postgres", "stop postgres immediate"),
                    _ => ("redis", "kill redis"),
                };
                own.order(how).await;
                tokio::time::sleep(away).await;
                if kind.ends_with("empty") {
                    own.order("empty redis").await;
                }
                own.order(&format!("start {server}")).await;
                true
            }
        };
        if struck {
            town.tally.count(kind);
        }
    }
}

pub async fn flush(town: &Town) -> redis::RedisResult<()> {
    let mut redis = town.redis.get_multiplexed_async_connection().await?;
    redis::cmd("FLUSHALL").query_async(&mut redis).await
}

/// Sets Redis's memory limit to nothing for a while. Returns true if Redis refused a command.
async fn fill(town: &Town, time: Duration) -> redis::RedisResult<bool> {
    let mut redis = town.redis.get_multiplexed_async_connection().await?;
    let before = refused(&mut redis).await?;
    let limit = async |redis: &mut redis::aio::MultiplexedConnection, limit: &str| {
        let set = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).query_async::<()>(redis).await;
        set.inspect_err(|error| eprintln!("chaos: Redis's memory limit cannot be set: {error}"))
    };
    limit(&mut redis, "1").await?;
    tokio::time::sleep(time).await;
    let after = refused(&mut redis).await;
    limit(&mut redis, "0").await?;
    Ok(after? > before)
}

/// Returns how many commands Redis refused for lack of memory.
async fn refused(redis: &mut redis::aio::MultiplexedConnection) -> redis::RedisResult<u64> {
    let info: String = redis::cmd("INFO").arg("errorstats").query_async(redis).await?;
    let count = info.lines().find_map(|line| line.strip_prefix("errorstat_OOM:count=")?.trim().parse().ok());
    Ok(count.unwrap_or_default())
}

/// The faults that gateways have all the time, and how many of a thousand calls each fault strikes.
const SHARES: [(&str, u32); 6] = [
    ("timeout_after_commit", 15),
    ("timeout_before", 10),
    ("garbage_200", 10),
    ("http_500_html", 15),
    ("throttle", 10),
    ("slow", 3),
];
const CALLBACK_SHARES: [(&str, u32); 2] = [("duplicate_callback", 80), ("reorder_callbacks", 80)];
const GATEWAYS: [&str; 4] = ["sms_aliyun", "wechat", "ems", "sf"];
/// The faults that strike every call of one gateway for a while.
const STORMS: [&str; 5] = ["http_500_html", "timeout_before", "timeout_after_commit", "throttle", "slow"];
/// The delay of a slow answer in milliseconds, longer than any time-out.
const SLOW_MS: u64 = 30_000;

/// Makes every gateway fail now and then, and sometimes one gateway at every call for a while. EMS also collects some
/// parcels although it did not answer the order.
async fn gateways(town: &Town, plan: &Plan, mut dice: Dice, enough: &CancellationToken) {
    // After WeChat refused a call because of its rate limit, WeChat must not be called for a minute. A short run has no
    // time for that.
    let can_have = |gateway: &str, fault: &str| plan.has_time || gateway != "wechat" || fault != "throttle";
    let mut go_on = true;
    while go_on {
        for gateway in GATEWAYS {
            for (fault, share) in SHARES.iter().chain(&CALLBACK_SHARES).filter(|(fault, _)| can_have(gateway, fault)) {
                order(town, gateway, fault, f64::from(*share) / 1_000.0).await;
            }
        }
        order(town, "ems", "collected_unheard", 0.01).await;
        order(town, "wechat", "expired_token", 0.02).await;
        go_on = wait(enough, dice.millis(5_000, 20_000)).await;
        let gateway = *dice.pick(&GATEWAYS);
        let storm = *dice.pick(&STORMS);
        if go_on && can_have(gateway, storm) {
            end_faults(town).await;
            order(town, gateway, storm, 1.0).await;
            town.tally.count(&format!("storm: {gateway} fails altogether"));
            go_on = wait(enough, dice.millis(500, 4_000)).await;
        }
        end_faults(town).await;
    }
}

async fn order(town: &Town, gateway: &str, fault: &str, share: f64) {
    let mut body = json!({"gateway": gateway, "fault": fault, "share": share});
    if fault == "slow" {
        body["delay_ms"] = Value::from(SLOW_MS);
    }
    town.control.post("/_sandbox/faults").json(&body).success().await.unwrap();
}

async fn end_faults(town: &Town) {
    town.sandbox.end_faults().await.unwrap();
}

/// Takes the folder of the uploads away for a while, as if its disk were not mounted.
async fn disk(town: &Town, mut dice: Dice, enough: &CancellationToken) {
    let disk = town.folder.join("uploads");
    let away = town.folder.join("uploads.away");
    while wait(enough, dice.millis(4_000, 12_000)).await {
        fs::rename(&disk, &away).unwrap();
        // A file in the folder's place keeps the product from creating the folder.
        fs::write(&disk, "").unwrap();
        wait(enough, dice.millis(500, 2_500)).await;
        fs::remove_file(&disk).unwrap();
        fs::rename(&away, &disk).unwrap();
        town.tally.count("uploads' disk away");
    }
}
