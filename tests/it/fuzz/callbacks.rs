//! Calls of gateways, rightly signed, that say strange things of parcels and people that there are: taken, answered in the
//! gateway's own form, and read by a job that comes to an end. Neither parcels nor people are the worse for it.

use poem::http::StatusCode;
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::Value;
use songda::gateway::shared::callback::RawCallback;
use songda::lifecycle::Tasks;

use super::mangle::{self, Mangled};
use super::{seals, seeds};
use crate::api::edge::Read;
use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{back_office, result};

/// Which gateway calls, and what makes a call of what it says.
type Seal = fn(&Mangled) -> RawCallback;
const CALLERS: [(&str, &str, Seal); 5] = [
    ("ems", "callbacks/ems", |said| seals::ems(&String::from_utf8_lossy(&said.0))),
    ("sf", "callbacks/sf-json", |said| seals::call("application/json", "", said.0.clone())),
    ("sf", "callbacks/sf-xml", |said| seals::sf_form(&said.0)),
    ("wechat", "callbacks/wechat", |said| seals::wechat(&String::from_utf8_lossy(&said.0))),
    ("sms_aliyun", "callbacks/sms_aliyun", |said| seals::call("application/json", "", said.0.clone())),
];

/// Calls, and looks at the answer.
async fn call<E: Endpoint<Output = Response>>(server: &TestClient<E>, gateway: &str, call: RawCallback) {
    let request = server.post(format!("/callbacks/{gateway}/sandbox?{}", call.query));
    let request = request.header("content-type", &call.content_type).body(call.body.expose().clone());
    let answer = Read::of(request.send().await).await;
    let kind = answer.header("content-type").unwrap();
    // Anything else, and the gateway calls again and again.
    let heard = answer.status == StatusCode::OK && kind != "application/problem+json";
    let said = Mangled(call.body.expose().clone());
    assert!(heard, "{gateway} is answered {} {} to {said:?}", answer.status, answer.body);
}

/// What became of the calls: how their jobs ended.
async fn endings(desk: &Desk) -> Vec<(String, String, i64)> {
    let endings = "select j.state, a.outcome, count(*) from jobs j join attempts a on a.job_id = j.id
        where j.kind = 'read_callback' group by 1, 2 order by 1, 2";
    sqlx::query_as(endings).fetch_all(&desk.database).await.unwrap()
}

async fn unread(desk: &Desk) -> i64 {
    let unread = "select count(*) from jobs where kind = 'read_callback' and state = 'pending'";
    sqlx::query_scalar(unread).fetch_one(&desk.database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_gateways_say_is_read_and_parcels_still_arrive() {
    let (mut desk, app) = Desk::open_api(&QUICK).await;
    desk.leave_jobs();
    let _worker = desk.worker(None);
    let (resident, openid) = desk.resident().await;
    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    let ordered = async || {
        let known: Option<(String, Option<String>)> =
            sqlx::query_as("select order_no, waybill from parcels").fetch_optional(&desk.database).await.unwrap();
        known.and_then(|(order_no, waybill)| Some((order_no, waybill?)))
    };
    wait_until("the parcel has a number", async || ordered().await.is_some()).await;
    let (order_no, waybill) = ordered().await.unwrap();

    let about_us = |seed: Vec<u8>| {
        let text = String::from_utf8(seed).unwrap().replace("SD01", &order_no).replace("1200000000001", &waybill);
        text.replace("oAAAA-BBBB", &openid).into_bytes()
    };
    let server = TestClient::new(app.routes(&Tasks::new().stopping()).unwrap());
    for (gateway, folder, seal) in CALLERS {
        let seeds: Vec<Vec<u8>> = seeds::of(folder).into_iter().map(about_us).collect();
        let values: Vec<Value> = seeds.iter().filter_map(|seed| serde_json::from_slice(seed).ok()).collect();
        let mut said = mangle::some(&mangle::bytes(seeds.clone()), mangle::cases() / 4);
        if !values.is_empty() {
            let strange = mangle::some(&mangle::json(values), mangle::cases() / 2);
            said.extend(strange.into_iter().map(|value| Mangled(value.to_string().into_bytes())));
        }
        said.extend(seeds.into_iter().map(Mangled));
        for said in said {
            call(&server, gateway, seal(&said)).await;
        }
    }

    wait_until("every call is read", async || unread(&desk).await == 0).await;
    let endings = endings(&desk).await;
    let ends =
        |state: &str, outcome: &str| endings.iter().any(|(s, o, _)| (s.as_str(), o.as_str()) == (state, outcome));
    assert!(endings.len() == 2 && ends("done", "understood") && ends("dead", "unreadable"), "{endings:?}");

    let world = desk.sandbox.world();
    let arrived = async || {
        desk.sandbox.sandbox().advance_all(1);
        let state: String = sqlx::query_scalar("select state from parcels").fetch_one(&desk.database).await.unwrap();
        state == "delivered"
    };
    wait_until("the parcel arrives all the same", arrived).await;
    assert!(!world.phones.of(phone).is_empty() || !world.phones.of(&openid).is_empty(), "its recipient is told");
    desk.close().await;
}
