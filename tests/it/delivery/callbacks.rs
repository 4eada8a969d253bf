//! Callbacks of gateways, as an attacker sends them: with the secret of another gateway, without a signature, about
//! parcels and messages of others, and in any number. None of them changes what a resident is told.

use poem::http::StatusCode;
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::{Value, json};
use songda::demo::fresh_phone;
use songda::gateway::shared::callback::RawCallback;
use songda::lifecycle::Tasks;

use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::seals;
use crate::support::wait::wait_until;

/// The gateways that call back.
const GATEWAYS: [&str; 4] = ["ems", "sf", "sms_aliyun", "wechat"];
/// An item whose result SF carries.
const BY_SF: &str = "JT-0064";

/// The API of a desk in this process, to which a test sends callbacks.
struct Door<E> {
    server: TestClient<E>,
    secrets: Vec<(&'static str, String)>,
}

fn door(desk: &Desk) -> Door<impl Endpoint<Output = Response> + use<>> {
    let secret = |gateway: &str| desk.setting(&format!("SONGDA_{}_CALLBACK_SECRET", gateway.to_uppercase())).to_owned();
    Door {
        server: TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap()),
        secrets: GATEWAYS.map(|gateway| (gateway, secret(gateway))).to_vec(),
    }
}

impl<E: Endpoint<Output = Response>> Door<E> {
    fn secret(&self, gateway: &str) -> &str {
        &self.secrets.iter().find(|(known, _)| *known == gateway).unwrap().1
    }

    /// Sends a callback on the gateway's own path.
    async fn send(&self, gateway: &str, call: RawCallback) -> StatusCode {
        self.send_to(&format!("/callbacks/{gateway}/{}?{}", self.secret(gateway), call.query), call).await
    }

    async fn send_to(&self, path: &str, call: RawCallback) -> StatusCode {
        let request = self.server.post(path).header("content-type", &call.content_type);
        request.body(call.body.expose().clone()).send().await.0.status()
    }
}

fn as_json(body: &Value) -> RawCallback {
    seals::call("application/json", "", body.to_string())
}

/// Returns a push of SF about a parcel.
fn sf_push(order_no: &str, waybill: &str, code: &str) -> RawCallback {
    let node = json!({
        "id": "173568970001", "mailno": waybill, "orderid": order_no, "acceptTime": "2026-01-02 09:10:11",
        "acceptAddress": "南京市", "remark": "", "opCode": code,
    });
    as_json(&json!({"Body": {"WaybillRoute": [node]}}))
}

/// Reports a decision whose result SF carries. Returns the applicant's phone.
async fn decide_by_sf(desk: &Desk) -> String {
    let phone = fresh_phone();
    let mut decided = result(&phone);
    decided["item_code"] = json!(BY_SF);
    Office::register(desk).await.hand_in(&[decided]).await;
    phone
}

/// Returns the state, the order number and the waybill of the only parcel.
async fn parcel(desk: &Desk) -> (String, String, Option<String>) {
    sqlx::query_as("select state, order_no, waybill from parcels").fetch_one(&desk.database).await.unwrap()
}

async fn stored(desk: &Desk, of: &[&str]) -> i64 {
    let sql = "select (select count(*) from callbacks where origin = any($1)) + (select count(*) from parcel_scans)";
    sqlx::query_scalar(sql).bind(of).fetch_one(&desk.database).await.unwrap()
}

/// Returns how often SF was asked for the scans of parcels.
fn looks(desk: &Desk) -> u64 {
    desk.sandbox.world().counters.get("sf", "EXP_RECE_SEARCH_ROUTES")
}

#[tokio::test]
async fn the_secret_of_a_gateway_opens_its_own_path_only() {
    let desk = Desk::builder().without_worker().open().await;
    let door = door(&desk);
    for gateway in GATEWAYS {
        for other in GATEWAYS {
            let status =
                door.send_to(&format!("/callbacks/{gateway}/{}", door.secret(other)), as_json(&json!([]))).await;
            assert_eq!(
                status == StatusCode::NOT_FOUND,
                gateway != other,
                "{gateway} with the secret of {other}: {status}"
            );
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn a_call_that_nothing_proves_is_not_stored() {
    let desk = Desk::builder().without_worker().open().await;
    let door = door(&desk);
    let foreign_receipt = json!([{
        "phone_number": "13800000000", "success": false, "err_code": "USER_REJECT", "biz_id": "7000^0",
        "out_id": "ntf_01KAQ8Y7G0E00800000000002A",
    }]);
    let calls = |copy: usize| {
        let junk = |text: &str| seals::call("application/json", "", format!("{text}{copy}"));
        let entities = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><xml>&b;</xml>";
        vec![
            ("ems", junk("{\"logitcsInterface\":\"AAAA\"}")),
            ("ems", junk("junk")),
            ("wechat", junk(entities)),
            ("wechat", junk("{}")),
            ("sf", junk("junk")),
            ("sf", sf_push("SD01", &format!("SF{copy}"), "50")),
            ("sms_aliyun", junk("junk")),
            ("sms_aliyun", as_json(&foreign_receipt)),
        ]
    };
    for copy in 0..10 {
        for (gateway, call) in calls(copy) {
            let status = door.send(gateway, call).await;
            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{gateway}");
        }
    }
    assert_eq!(stored(&desk, &GATEWAYS).await, 0);
    assert_eq!(desk.count("select count(*) from jobs").await, 0);
    desk.close().await;
}

/// A message that only the holder of EMS's key can write is kept, even if this release does not understand it.
#[tokio::test]
async fn an_authentic_call_that_cannot_be_read_is_kept() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    assert_eq!(door(&desk).send("ems", seals::ems("{\"something\":\"new\"}")).await, StatusCode::OK);
    let dead = "select count(*) from jobs where kind = 'read_callback' and state = 'dead'";
    wait_until("the job of the callback dies, for operators to look at", async || desk.count(dead).await == 1).await;
    assert_eq!(desk.count("select count(*) from callbacks").await, 1);
    desk.close().await;
}

#[tokio::test]
async fn callbacks_are_limited_by_network_address() {
    let desk = Desk::builder().settings(&[("SONGDA_RATE_CALLBACKS", "2")]).without_worker().open().await;
    let door = door(&desk);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(door.send_to("/callbacks/sf/guessed", as_json(&json!({}))).await.as_u16());
    }
    assert_eq!(statuses, [404, 404, 429]);
    desk.close().await;
}

#[tokio::test]
async fn a_pending_parcel_is_ordered_whatever_an_unsigned_call_says() {
    let desk = Desk::builder().without_worker().open().await;
    let phone = decide_by_sf(&desk).await;
    let (_, order_no, _) = parcel(&desk).await;
    for code in ["50", "80"] {
        assert_eq!(door(&desk).send("sf", sf_push(&order_no, "SF7444000000666", code)).await, StatusCode::OK);
    }
    assert_eq!(parcel(&desk).await, ("pending".to_owned(), order_no.clone(), None));
    assert_eq!(stored(&desk, &["sf"]).await, 0);

    let _worker = desk.worker();
    let ordered = async || desk.outside().parcels_to(&phone).await.unwrap();
    wait_until("the parcel is ordered", async || ordered().await.len() == 1).await;
    let held = ordered().await.remove(0);
    let adopted = async || parcel(&desk).await == ("ordered".to_owned(), order_no.clone(), Some(held.waybill.clone()));
    wait_until("the parcel has the waybill of SF's own answer", adopted).await;
    desk.close().await;
}

/// A carrier that does not know an order is asked a second time before the order is given again, because the first one may
/// still be on its way. That takes a while, whatever a callback says.
#[tokio::test]
async fn an_unsigned_call_does_not_shorten_the_wait_before_an_order_is_given_again() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    decide_by_sf(&desk).await;
    let (_, order_no, _) = parcel(&desk).await;
    let door = door(&desk);
    let waits = "update jobs set unclear = 1, told_absent = true, due_at = now() + interval '1 hour'
                 where kind = 'order_parcel'";
    let is_soon = "select due_at < now() + interval '30 minutes' from jobs where kind = 'order_parcel'";
    desk.execute(waits).await;
    assert_eq!(door.send("sf", sf_push(&order_no, "SF7444000000666", "50")).await, StatusCode::OK);
    assert!(!desk.scalar::<bool>(is_soon).await, "SF said that it does not know the order");
    desk.execute("update jobs set told_absent = false where kind = 'order_parcel'").await;
    desk.execute("update parcels set look_at = null, look_open = false").await;
    assert_eq!(door.send("sf", sf_push(&order_no, "SF7444000000666", "50")).await, StatusCode::OK);
    assert!(desk.scalar::<bool>(is_soon).await, "SF was not asked yet");
    desk.close().await;
}

#[tokio::test]
async fn an_unsigned_call_about_a_parcel_makes_the_worker_ask_at_most_once_a_minute() {
    let desk = Desk::builder().settings(&[("SONGDA_HINTED_LOOK_EVERY", "60s")]).open().await;
    let phone = decide_by_sf(&desk).await;
    wait_until("the parcel is ordered", async || parcel(&desk).await.2.is_some()).await;
    let ordered = parcel(&desk).await;
    let door = door(&desk);
    let seen = looks(&desk);

    assert_eq!(door.send("sf", sf_push(&ordered.1, "SF7444000000666", "80")).await, StatusCode::OK);
    wait_until("SF is asked", async || looks(&desk) == seen + 1).await;
    let closed = async || desk.scalar::<bool>("select not look_open from parcels").await;
    wait_until("the answer is applied", closed).await;
    assert_eq!(parcel(&desk).await, ordered, "a forged delivery and a forged waybill change nothing");
    for waybill in ["SF7444000000666", ordered.2.as_deref().unwrap()] {
        for code in ["50", "204", "80"] {
            assert_eq!(door.send("sf", sf_push(&ordered.1, waybill, code)).await, StatusCode::OK);
        }
    }
    let planned =
        "select due_at > now() + interval '30 seconds' from jobs where kind = 'track_parcel' and state = 'pending'";
    assert!(desk.scalar::<bool>(planned).await, "the next look is planned a minute after the last one");
    assert_eq!((parcel(&desk).await, looks(&desk)), (ordered, seen + 1));
    assert_eq!(stored(&desk, &["sf"]).await, 0);

    // The honest push of the carrier moves the parcel, because SF confirms it.
    let held = desk.outside().parcels_to(&phone).await.unwrap().remove(0);
    desk.execute("update jobs set due_at = now(), offered_at = null where kind = 'track_parcel'").await;
    desk.outside().advance(&held.order_no).await.unwrap();
    let moved = async || {
        desk.execute(
            "update jobs set due_at = now(), offered_at = null where kind = 'track_parcel' and lease_until is null",
        )
        .await;
        parcel(&desk).await.0 == "picked_up"
    };
    wait_until("the parcel is picked up", moved).await;
    desk.close().await;
}

/// A failing receipt takes a delivery back only if it names the message and the number to which it went: the record that a
/// message arrived is evidence.
#[tokio::test]
async fn a_receipt_counts_only_for_its_number_and_its_message() {
    let mut desk = Desk::builder().settings(&[("SONGDA_CHANNELS", "sms_aliyun")]).open().await;
    desk.leave_jobs();
    desk.sandbox.world().callbacks.aim(None);
    let phone = fresh_phone();
    Office::register(&desk).await.hand_in(&[result(&phone)]).await;
    let reached = async || desk.count("select count(*) from notifications where delivered_by = 'sms_aliyun'").await;
    wait_until("the message arrives", async || reached().await == 1).await;
    let key: String = desk.scalar("select split_part(key, ':', 2) from jobs where kind = 'push'").await;
    let message: String = desk.scalar("select reference from attempts where outcome = 'delivered'").await;
    let door = door(&desk);
    let receipt = |number: &str, message: &str| {
        as_json(&json!([{
            "phone_number": number, "success": false, "err_code": "MOBILE_NOT_ON_SERVICE", "biz_id": message,
            "out_id": key,
        }]))
    };
    let understood =
        async || desk.count("select count(*) from callbacks where origin = 'sms_aliyun' and outcome is not null").await;
    let foreign = fresh_phone();
    for forged in [receipt(&foreign, &message), receipt(&phone, "7000^0")] {
        let before = understood().await;
        assert_eq!(door.send("sms_aliyun", forged).await, StatusCode::OK);
        wait_until("the receipt is read", async || understood().await > before).await;
        assert_eq!(reached().await, 1, "the message counts as delivered");
    }
    assert_eq!(door.send("sms_aliyun", receipt(&phone, &message)).await, StatusCode::OK);
    wait_until("the true receipt counts", async || reached().await == 0).await;
    desk.close().await;
}
