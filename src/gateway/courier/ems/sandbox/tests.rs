//! Tests that call the simulated EMS as a client calls the real one.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::Running;
use crate::sandbox::client::{CallbackServer, TestClient, running};

const KEY: &str = "SandboxSandboxSandboxQ==";

struct Scene {
    running: Running,
    ems: TestClient,
}

async fn scene(callbacks: Option<&CallbackServer>, duplicate: &str) -> Scene {
    let running = running(twin, &[("SONGDA_SANDBOX_EMS_DUPLICATE", duplicate)], callbacks).await;
    Scene { ems: TestClient::new(&running.url(NAME)), running }
}

fn order(order_no: &str, phone: &str, county: &str) -> Value {
    let party = |phone: &str, county: &str| json!({ "name": "张三", "mobile": phone, "prov": "江苏省", "city": "常州市", "county": county, "address": "清风路1号" });
    json!([{
        "createdTime": "2026-01-02 09:00:00", "ecommerceUserId": "gov", "logisticsOrderNo": order_no,
        "contentsAttribute": "1", "bizProductNo": "1",
        "sender": party("13912345678", "金坛区"), "receiver": party(phone, county),
    }])
}

impl Scene {
    async fn say(&self, api: &str, wrapped: &str) -> (u16, Value) {
        let form = [
            ("apiCode", api),
            ("senderNo", "1100000000000"),
            ("authorization", "sandbox-ems"),
            ("msgType", "0"),
            ("timeStamp", "2026-01-02 09:00:00"),
            ("logitcsInterface", wrapped),
        ];
        self.ems.form("/amp-prod-api/f/amp/api/open", &form).await
    }

    async fn ask(&self, api: &str, said: &Value) -> (u16, Value) {
        self.say(api, &IssuedKey::read(KEY).unwrap().wrap_as_caller(&said.to_string())).await
    }

    async fn order(&self, order_no: &str) -> Value {
        self.ask("020003", &order(order_no, "13912345678", "金坛区")).await.1
    }

    async fn cancel(&self, order_no: &str) -> String {
        self.ask("020006", &json!({ "logisticsOrderNo": order_no, "cancelReason": "test" })).await.1.text("retMsg")
    }
}

fn waybill(answer: &Value) -> String {
    serde_json::from_str::<Value>(&answer.text("retBody")).unwrap_or_default().text("waybillNo")
}

#[tokio::test]
async fn one_order_number_is_one_parcel() {
    let scene = scene(None, "same").await;
    let first = waybill(&scene.order("SD1").await);
    assert_eq!(first.len(), 13);
    assert_eq!(waybill(&scene.order("SD1").await), first);
    assert_ne!(waybill(&scene.order("SD2").await), first);
    assert_eq!(scene.running.world().parcels.counts(), (2, 0));
}

#[tokio::test]
async fn an_account_may_refuse_repeated_orders() {
    let scene = scene(None, "refuse").await;
    assert_eq!(scene.order("SD1").await["retCode"], "00000");
    assert!(scene.order("SD1").await.text("retMsg").contains("重复"));
    assert_eq!(scene.running.world().parcels.counts(), (1, 0));
}

#[tokio::test]
async fn a_cancelled_number_cannot_be_ordered_again() {
    let scene = scene(None, "same").await;
    assert_eq!(scene.cancel("SD1").await, "订单不存在");
    scene.order("SD1").await;
    assert_eq!(scene.cancel("SD1").await, "成功");
    assert_eq!(scene.cancel("SD1").await, "订单已取消");
    assert!(scene.order("SD1").await.text("retMsg").contains("重复"));
    scene.order("SD2").await;
    scene.running.sandbox().advance("SD2", 1);
    assert!(scene.cancel("SD2").await.contains("不能取消"));
}

#[tokio::test]
async fn only_rightly_encrypted_bodies_are_read() {
    let scene = scene(None, "same").await;
    let key = IssuedKey::read(KEY).unwrap();
    let said = order("SD1", "13912345678", "金坛区").to_string();
    assert_eq!(scene.say("020003", &key.wrap(&said)).await.1["retCode"], "S02-sim", "without the key's text");
    assert_eq!(scene.say("020003", &said).await.1["retCode"], "S02-sim");
    let object = order("SD1", "13912345678", "金坛区")[0].clone();
    assert_eq!(scene.ask("020003", &object).await.1["retCode"], "B01-sim", "not an array");
    assert!(scene.running.world().parcels.of_order(NAME, "SD1").is_none());
}

#[tokio::test]
async fn bad_addresses_are_refused() {
    let scene = scene(None, "same").await;
    let refused =
        async |phone: &str, county: &str| scene.ask("020003", &order("SD1", phone, county)).await.1.text("retMsg");
    assert!(refused("000", "金坛区").await.contains("电话"));
    assert!(refused("13912345678", "不派送区").await.contains("超范围"));
    assert!(refused("13912345678", "").await.contains("county"));
    assert_eq!(scene.running.world().parcels.counts(), (0, 0));
}

#[tokio::test]
async fn a_lost_answer_leaves_one_order() {
    let scene = scene(None, "same").await;
    let lost = order("SD1", "13800000408", "金坛区");
    assert_eq!(scene.ask("020003", &lost).await.0, 0);
    let (_, answer) = scene.ask("020003", &lost).await;
    let parcel = scene.running.world().parcels.of_order(NAME, "SD1").unwrap();
    assert_eq!((parcel.waybill, parcel.asked), (waybill(&answer), 2));
}

#[tokio::test]
async fn a_label_is_a_pdf_and_a_track_grows() {
    let scene = scene(None, "same").await;
    let waybill = waybill(&scene.order("SD1").await);
    let (_, label) = scene.ask("010004", &json!({ "waybillNo": waybill, "type": "129" })).await;
    assert!(STANDARD.decode(label.text("retBody")).unwrap().starts_with(b"%PDF"));
    let track = async || scene.ask("040001", &json!({ "waybillNo": waybill, "direction": "0" })).await.1;
    assert!(track().await.text("retMsg").contains("查无"));
    scene.running.sandbox().advance_all(2);
    let items: Value = serde_json::from_str(&track().await.text("retBody")).unwrap();
    assert_eq!(items["responseItems"][1]["opCode"], "345");
    assert_eq!(items["responseItems"].as_array().unwrap().len(), 2);
}

fn taken(call: &TwinCall) -> String {
    json!({ "serialNo": call.json().unwrap()["serialNo"], "code": "00000", "codeMessage": "成功" }).to_string()
}

#[tokio::test]
async fn scans_are_pushed_in_order_until_they_are_accepted() {
    let mut server = CallbackServer::answering(vec![|_| "{\"code\":\"00000\"}".into(), taken]).await;
    let scene = scene(Some(&server), "same").await;
    scene.order("SD1").await;
    scene.running.sandbox().advance_all(1);
    let first = server.next().await;
    let again = server.next().await;
    assert_eq!(first.path, "/callbacks/ems/sandbox-ems-callbacks-0123456789abcdef");
    assert_eq!(first.body, again.body, "without the serial number it is not accepted");
    scene.running.sandbox().advance_all(100);
    let mut codes = Vec::new();
    for _ in 0..7 {
        // EMS's own messages do not contain the key's text, which callers append.
        let wrapped = server.next().await.json().unwrap().text("logitcsInterface");
        let key = IssuedKey::read(KEY).unwrap();
        assert_eq!(key.open(&wrapped), None);
        codes.push(key.open_own(&wrapped)["opCode"].as_str().unwrap().to_owned());
    }
    assert_eq!(codes, ["345", "389", "954", "305", "306", "702", "704"]);
    assert!(server.is_silent());
}

#[tokio::test]
async fn callbacks_are_doubled_dropped_and_reordered_on_request() {
    let mut server = CallbackServer::answering(vec![taken]).await;
    let scene = scene(Some(&server), "same").await;
    let control = TestClient::new(&scene.running.base_url());
    scene.order("SD1").await;
    let demand = async |fault: &str| {
        let order = json!({ "gateway": NAME, "fault": fault, "times": 1 });
        assert_eq!(control.json("POST", "/_sandbox/faults", &order).await.0, 204);
        control.json("POST", "/_sandbox/parcels/SD1/advance", &json!({ "steps": 1 })).await;
    };
    let code = |call: TwinCall| {
        IssuedKey::read(KEY).unwrap().open_own(&call.json().unwrap().text("logitcsInterface")).text("opCode")
    };

    demand("duplicate_callback").await;
    assert_eq!([code(server.next().await), code(server.next().await)], ["203", "203"]);
    demand("drop_callback").await;
    demand("reorder_callbacks").await;
    assert!(server.is_silent());
    scene.running.sandbox().advance("SD1", 1);
    let mut codes = [code(server.next().await), code(server.next().await)];
    codes.sort();
    assert_eq!(codes, ["389", "954"], "345 was dropped; 389 came only with 954");
    assert!(server.is_silent());
}
