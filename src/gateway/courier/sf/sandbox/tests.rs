//! Tests that call the simulated SF as a client calls the real one.

use bytes::Bytes;
use poem::http::HeaderMap;
use serde_json::{Value, json};

use super::digest::digest;
use super::*;
use crate::domain::kernel::clock::{Clock, fresh_uuid};
use crate::sandbox::Running;
use crate::sandbox::client::{CallbackServer, TestClient, running};

const CHECK_WORD: &str = "SandboxCheckWord0123456789abcdef";

struct Scene {
    running: Running,
    sf: TestClient,
}

async fn scene(callbacks: Option<&CallbackServer>, duplicate: &str) -> Scene {
    let running = running(twin, &[("SONGDA_SANDBOX_SF_DUPLICATE", duplicate)], callbacks).await;
    Scene { sf: TestClient::new(&running.url(NAME)), running }
}

fn order(order_no: &str, phone: &str, county: &str) -> Value {
    let contact = |kind: u8, phone: &str, county: &str| {
        json!({ "contactType": kind, "contact": "张三", "mobile": phone, "province": "江苏省", "city": "常州市",
            "county": county, "address": "清风路1号" })
    };
    json!({
        "language": "zh-CN", "orderId": order_no, "expressTypeId": 2, "payMethod": 1,
        "cargoDetails": [{ "name": "文件", "count": 1 }],
        "contactInfoList": [contact(1, "13912345678", "金坛区"), contact(2, phone, county)],
    })
}

impl Scene {
    async fn ask(&self, service: &str, said: &Value) -> (u16, Value) {
        let message = said.to_string();
        let request = fresh_uuid().to_string();
        let timestamp = Clock::system().now().timestamp_millis().to_string();
        let form = [
            ("partnerID", "SANDBOX"),
            ("requestID", &request),
            ("serviceCode", service),
            ("timestamp", &timestamp),
            ("msgDigest", &digest(&message, &timestamp, CHECK_WORD)),
            ("msgData", &message),
        ];
        let (status, answer) = self.sf.form("/std/service", &form).await;
        (status, serde_json::from_str(&answer.text("apiResultData")).unwrap_or(answer))
    }

    async fn order(&self, order_no: &str) -> Value {
        self.ask("EXP_RECE_CREATE_ORDER", &order(order_no, "13912345678", "金坛区")).await.1
    }

    async fn search(&self, order_no: &str) -> Value {
        self.ask("EXP_RECE_SEARCH_ORDER_RESP", &json!({ "orderId": order_no, "searchType": "1" })).await.1
    }

    async fn cancel(&self, order_no: &str) -> Value {
        self.ask("EXP_RECE_UPDATE_ORDER", &json!({ "orderId": order_no, "dealType": 2 })).await.1
    }
}

fn waybill(answer: &Value) -> String {
    answer["msgData"]["waybillNoInfoList"][0].text("waybillNo")
}

#[tokio::test]
async fn a_repeated_order_is_refused_and_can_be_found() {
    let scene = scene(None, "8016").await;
    assert_eq!(scene.search("SD1").await["errorCode"], "8018");
    let first = scene.order("SD1").await;
    assert_eq!((&first["success"], &first["msgData"]["filterResult"]), (&json!(true), &json!(2)));
    assert_eq!(scene.order("SD1").await["errorCode"], "8016");
    let found = scene.search("SD1").await;
    assert_eq!((waybill(&found), &found["msgData"]["filterResult"]), (waybill(&first), &json!("2")));
    assert_eq!(scene.running.world().parcels.counts(), (1, 0));
}

#[tokio::test]
async fn an_account_may_get_the_first_answer_again() {
    let scene = scene(None, "same").await;
    let first = waybill(&scene.order("SD1").await);
    assert_eq!(waybill(&scene.order("SD1").await), first);
}

#[tokio::test]
async fn bad_addresses_are_refused() {
    let scene = scene(None, "8016").await;
    let ask =
        async |phone: &str, county: &str| scene.ask("EXP_RECE_CREATE_ORDER", &order("SD1", phone, county)).await.1;
    assert_eq!(ask("000", "金坛区").await["errorCode"], "8196");
    assert_eq!(ask("", "金坛区").await["errorCode"], "1016");
    assert_eq!(ask("13912345678", "").await["errorCode"], "1014");
    assert_eq!(ask("13912345678", "不派送区").await["msgData"]["filterResult"], 3);
    assert_eq!(scene.running.world().parcels.counts(), (0, 0));
}

#[tokio::test]
async fn a_doubtful_address_is_checked_by_hand() {
    let scene = scene(None, "8016").await;
    let mut unsure = order("SD1", "13912345678", "金坛区");
    unsure["contactInfoList"][1]["address"] = json!("待核路1号");
    let answer = scene.ask("EXP_RECE_CREATE_ORDER", &unsure).await.1;
    assert_eq!((&answer["msgData"]["filterResult"], waybill(&answer)), (&json!(1), String::new()));
    let control = TestClient::new(&format!("{}/_sandbox/{NAME}", scene.running.base_url()));
    let found = async |order_no: &str, deliverable: bool| {
        let body = json!({ "order_no": order_no, "deliverable": deliverable }).to_string();
        control.send("POST", "/checks", HeaderMap::new(), body.into()).await.0
    };
    assert_eq!(found("SD2", true).await, 404);
    for (deliverable, result) in [(false, "3"), (true, "2")] {
        assert_eq!(found("SD1", deliverable).await, 204);
        let answer = scene.search("SD1").await;
        assert_eq!(answer["msgData"]["filterResult"], result);
        assert_eq!(waybill(&answer).is_empty(), !deliverable);
    }
}

#[tokio::test]
async fn an_order_is_cancelled_once_and_only_before_it_moves() {
    let scene = scene(None, "8016").await;
    assert_eq!(scene.cancel("SD1").await["errorCode"], "8018");
    scene.order("SD1").await;
    assert_eq!(scene.cancel("SD1").await["msgData"]["resStatus"], 2);
    assert_eq!(scene.cancel("SD1").await["errorCode"], "8037");
    assert_eq!(scene.search("SD1").await["errorCode"], "8253");
    scene.order("SD2").await;
    scene.running.sandbox().advance("SD2", 1);
    assert_eq!(scene.cancel("SD2").await["errorCode"], "8252");
}

#[tokio::test]
async fn a_lost_answer_leaves_one_order() {
    let scene = scene(None, "8016").await;
    let lost = order("SD1", "13800000408", "金坛区");
    assert_eq!(scene.ask("EXP_RECE_CREATE_ORDER", &lost).await.0, 0);
    assert!(scene.running.world().parcels.of_order(NAME, "SD1").is_some());
    assert_eq!(scene.search("SD1").await, Value::Null, "each operation fails once");
    assert!(!waybill(&scene.search("SD1").await).is_empty());
    assert_eq!(scene.ask("EXP_RECE_CREATE_ORDER", &lost).await.1["errorCode"], "8016");
}

#[tokio::test]
async fn routes_grow_and_need_the_last_digits_of_the_phone() {
    let scene = scene(None, "8016").await;
    let waybill = waybill(&scene.order("SD1").await);
    scene.running.sandbox().advance_all(3);
    let routes = async |kind: &str, number: &str, phone: &str| {
        let said =
            json!({ "trackingType": kind, "trackingNumber": [number], "methodType": "1", "checkPhoneNo": phone });
        scene.ask("EXP_RECE_SEARCH_ROUTES", &said).await.1["msgData"]["routeResps"][0]["routes"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(routes("1", &waybill, "5678").await, 3);
    assert_eq!(routes("2", "SD1", "").await, 3);
    assert_eq!(routes("1", &waybill, "0000").await, 0);
}

#[tokio::test]
async fn a_label_needs_its_token() {
    let scene = scene(None, "8016").await;
    let waybill = waybill(&scene.order("SD1").await);
    let said = json!({ "templateCode": "fm_76130_standard_SANDBOX", "version": "2.0", "fileType": "pdf", "sync": true,
        "documents": [{ "masterWaybillNo": waybill }] });
    let (_, answer) = scene.ask("COM_RECE_CLOUD_PRINT_WAYBILLS", &said).await;
    let file = &answer["obj"]["files"][0];
    assert_eq!(file.text("url"), format!("{}/files/{waybill}", scene.running.url(NAME)));
    let fetch = async |token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("X-Auth-token", token.parse().unwrap());
        scene.sf.send("GET", &format!("/files/{waybill}"), headers, Bytes::new()).await.0
    };
    assert_eq!((fetch(&file.text("token")).await, fetch("guessed").await), (200, 403));
}

#[tokio::test]
async fn routes_are_pushed_in_tens_until_they_are_accepted() {
    let mut server = CallbackServer::answering(vec![|_| "{\"return_code\":\"1000\"}".into(), |_| {
        "{\"return_code\":\"0000\",\"return_msg\":\"成功\"}".into()
    }])
    .await;
    let scene = scene(Some(&server), "8016").await;
    for number in 0..12 {
        scene.order(&format!("SD{number}")).await;
    }
    scene.running.sandbox().advance_all(1);
    let mut calls = [server.next().await, server.next().await, server.next().await];
    calls.sort_by_key(|call| call.body.len());
    let count = |call: &TwinCall| call.json().unwrap()["Body"]["WaybillRoute"].as_array().unwrap().len();
    assert_eq!(calls.each_ref().map(count), [2, 10, 10], "the first batch came twice");
    assert_eq!(
        (calls[0].path.as_str(), &calls[1].body),
        ("/callbacks/sf/sandbox-sf-callbacks-0123456789abcdef", &calls[2].body)
    );
    assert!(server.is_silent());
    let parcels = scene.running.world().parcels.all();
    assert_eq!(parcels[NAME].iter().map(|parcel| parcel.refused).sum::<u32>(), 10);
}
