//! Callbacks with valid signatures and strange contents about existing parcels and people. Each is answered in the
//! gateway's own format. One that is signed is accepted, and processed by a job that comes to an end. Parcels still
//! arrive, and people are still notified.

use poem::http::StatusCode;
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::Value;
use songda::gateway::shared::callback::RawCallback;
use songda::lifecycle::Tasks;

use super::mangle::{self, Mangled};
use super::seeds;
use crate::support::desk::Desk;
use crate::support::edge::Read;
use crate::support::office::{Office, result};
use crate::support::seals;
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

/// Makes a callback of a message as the gateway does, with the gateway's signature if it signs its callbacks.
type Seal = fn(&Mangled) -> RawCallback;
/// Each gateway, the folder with its real messages (seeds), and the function that makes callbacks of them.
const CALLERS: [(&str, &str, Seal); 5] = [
    ("ems", "callbacks/ems", |message| seals::ems(&String::from_utf8_lossy(&message.0))),
    ("sf", "callbacks/sf-json", |message| seals::call("application/json", "", message.0.clone())),
    ("sf", "callbacks/sf-xml", |message| seals::sf_form(&message.0)),
    ("wechat", "callbacks/wechat", |message| seals::wechat(&String::from_utf8_lossy(&message.0))),
    ("sms_aliyun", "callbacks/sms_aliyun", |message| seals::call("application/json", "", message.0.clone())),
];

/// Longer messages are refused, as no gateway sends them.
const LONGEST: usize = 32 << 10;

/// Sends a callback, and asserts that the answer is in the gateway's own format, and satisfies a gateway that signed.
async fn call<E: Endpoint<Output = Response>>(server: &TestClient<E>, desk: &Desk, gateway: &str, call: RawCallback) {
    let secret = desk.setting(&format!("SONGDA_{}_CALLBACK_SECRET", gateway.to_uppercase()));
    let request = server.post(format!("/callbacks/{gateway}/{secret}?{}", call.query));
    let request = request.header("content-type", &call.content_type).body(call.body.expose().clone());
    let answer = Read::of(request.send().await).await;
    let kind = answer.header("content-type").unwrap();
    // After any other answer the gateway repeats the callback.
    let signs = ["ems", "wechat"].contains(&gateway);
    let is_satisfied = if signs { answer.status == StatusCode::OK } else { answer.status != StatusCode::NOT_FOUND };
    let is_answered = is_satisfied && kind != "application/problem+json";
    let message = Mangled(call.body.expose().clone());
    assert!(is_answered, "{gateway} is answered {} {} to {message:?}", answer.status, answer.body);
}

/// Returns each combination of a job's state and an attempt's outcome among the jobs that read callbacks, and how often
/// it occurs.
async fn endings(desk: &Desk) -> Vec<(String, String, i64)> {
    let endings = "select j.state, a.outcome, count(*) from jobs j join attempts a on a.job_id = j.id
        where j.kind = 'read_callback' group by 1, 2 order by 1, 2";
    sqlx::query_as(endings).fetch_all(&desk.database).await.unwrap()
}

async fn unread(desk: &Desk) -> i64 {
    desk.count("select count(*) from jobs where kind = 'read_callback' and state = 'pending'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_signed_callback_is_processed_and_parcels_still_arrive() {
    let mut desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    desk.leave_jobs();
    let _worker = desk.worker();
    let resident = desk.resident().await;
    let phone = resident.phone();
    let openid = resident.openid();
    Office::register(&desk).await.hand_in(&[result(phone)]).await;
    let ordered = async || {
        let known: Option<(String, Option<String>)> =
            sqlx::query_as("select order_no, waybill from parcels").fetch_optional(&desk.database).await.unwrap();
        known.and_then(|(order_no, waybill)| Some((order_no, waybill?)))
    };
    wait_until("the parcel has a waybill", async || ordered().await.is_some()).await;
    let (order_no, waybill) = ordered().await.unwrap();

    let about_us = |seed: Vec<u8>| {
        let text = String::from_utf8(seed).unwrap().replace("SD01", &order_no).replace("1200000000001", &waybill);
        text.replace("oAAAA-BBBB", openid).into_bytes()
    };
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    for (gateway, folder, seal) in CALLERS {
        let seeds: Vec<Vec<u8>> = seeds::of(folder).into_iter().map(about_us).collect();
        let values: Vec<Value> = seeds.iter().filter_map(|seed| serde_json::from_slice(seed).ok()).collect();
        let mut messages = mangle::some(&mangle::bytes(seeds.clone()), mangle::cases() / 4);
        if !values.is_empty() {
            let strange = mangle::some(&mangle::json(values), mangle::cases() / 2);
            messages.extend(strange.into_iter().map(|value| Mangled(value.to_string().into_bytes())));
        }
        messages.extend(seeds.into_iter().map(Mangled));
        for message in messages.iter().filter(|message| message.0.len() <= LONGEST) {
            call(&server, &desk, gateway, seal(message)).await;
        }
    }

    wait_until("every callback is processed", async || unread(&desk).await == 0).await;
    let endings = endings(&desk).await;
    let ends =
        |state: &str, outcome: &str| endings.iter().any(|(s, o, _)| (s.as_str(), o.as_str()) == (state, outcome));
    assert!(endings.len() == 2 && ends("done", "understood") && ends("dead", "unreadable"), "{endings:?}");

    let world = desk.sandbox.world();
    let arrived = async || {
        desk.sandbox.sandbox().advance_all(1);
        desk.scalar::<bool>("select state = 'delivered' from parcels").await
    };
    wait_until("the parcel still arrives", arrived).await;
    assert!(!world.phones.of(phone).is_empty() || !world.phones.of(openid).is_empty(), "the recipient is notified");
    desk.close().await;
}
