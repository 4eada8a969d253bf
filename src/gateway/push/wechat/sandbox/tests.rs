//! Tests that call the simulated WeChat as a client calls the real one.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::Running;
use crate::sandbox::client::{CallbackServer, TestClient, running};

struct Scene {
    running: Running,
    wechat: TestClient,
    control: TestClient,
    token: String,
}

async fn scene(callbacks: Option<&CallbackServer>) -> Scene {
    let running = running(twin, &[], callbacks).await;
    let wechat = TestClient::new(&running.url(NAME));
    let control = TestClient::new(&running.base_url());
    let mut scene = Scene { running, wechat, control, token: String::new() };
    scene.token = scene.stable_token().await;
    scene
}

impl Scene {
    async fn stable_token(&self) -> String {
        let body = json!({ "grant_type": "client_credential", "appid": "wx0000000000000000", "secret": "sandbox-wechat-secret" });
        let (_, answer) = self.wechat.json("POST", "/cgi-bin/stable_token", &body).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn tap(&self, openid: &str, answer: &str) {
        assert_eq!(self.tap_all(openid, &["tpl"], answer).await, 204);
    }

    async fn tap_all(&self, openid: &str, templates: &[&str], answer: &str) -> u16 {
        let body = json!({ "openid": openid, "templates": templates, "answer": answer });
        self.control.json("POST", "/_sandbox/wechat/consents", &body).await.0
    }

    async fn send(&self, openid: &str) -> (u16, Value) {
        let data = json!({ "thing1": { "value": "居住证办理" }, "phrase2": { "value": "已通过" } });
        self.send_data(openid, data).await
    }

    async fn send_data(&self, openid: &str, data: Value) -> (u16, Value) {
        let body = json!({ "touser": openid, "template_id": "tpl", "data": data });
        let path = format!("/cgi-bin/message/subscribe/send?access_token={}", self.token);
        self.wechat.json("POST", &path, &body).await
    }

    fn messages(&self, openid: &str) -> usize {
        self.running.world().phones.of(openid).len()
    }
}

fn code((_, answer): (u16, Value)) -> i64 {
    answer["errcode"].as_i64().unwrap_or(i64::MIN)
}

#[tokio::test]
async fn a_code_signs_in_one_person_once() {
    let scene = scene(None).await;
    let sign_in = async |code: &str, appid: &str| {
        let path = format!("/sns/jscode2session?appid={appid}&secret=sandbox-wechat-secret&js_code={code}");
        scene.wechat.get(&path).await
    };
    let appid = "wx0000000000000000";
    assert_eq!(sign_in("wx-li", appid).await["openid"], "openid-li");
    assert_eq!(sign_in("wx-li", appid).await["errcode"], 40029);
    assert_eq!(sign_in("wx-li.2", appid).await["openid"], "openid-li");
    assert_eq!(sign_in("else", appid).await["errcode"], 40029);
    assert_eq!(sign_in("wx-li.3", "wx1").await["errcode"], 40013);
}

#[tokio::test]
async fn a_dialog_offers_at_most_three_templates_of_one_kind() {
    let scene = scene(None).await;
    assert_eq!(scene.tap_all("openid-li", &["tpl", "b", "c", "d"], "accept").await, 400);
    assert_eq!(code(scene.send("openid-li").await), 43101, "the dialog was not shown");
    assert_eq!(scene.tap_all("openid-li", &["tpl", "b", "c"], "accept").await, 204);
    assert_eq!(code(scene.send("openid-li").await), 0);

    let template = |id, kind| json!({ "priTmplId": id, "title": "结果", "content": "", "type": kind });
    let account = json!([template("once", 2), template("long", 3)]);
    scene.control.json("PUT", "/_sandbox/wechat/templates", &account).await;
    assert_eq!(scene.tap_all("openid-li", &["once", "long"], "accept").await, 400);
    assert_eq!(scene.tap_all("openid-li", &["once", "else"], "accept").await, 404);
    assert_eq!(scene.tap_all("openid-li", &["once", "long"], "switch_off").await, 204, "the settings list all");
}

#[tokio::test]
async fn a_one_time_consent_is_one_message() {
    let scene = scene(None).await;
    assert_eq!(code(scene.send("openid-li").await), 43101);
    scene.tap("openid-li", "accept").await;
    let (_, answer) = scene.send("openid-li").await;
    assert!(answer["msgid"].as_u64().unwrap() > 1 << 53);
    assert_eq!(code(scene.send("openid-li").await), 43101);
    assert_eq!(scene.messages("openid-li"), 1);
}

#[tokio::test]
async fn a_lost_answer_uses_up_the_consent() {
    let scene = scene(None).await;
    scene.tap("openid-li-0408", "accept").await;
    assert_eq!(scene.send("openid-li-0408").await.0, 0);
    assert_eq!(code(scene.send("openid-li-0408").await), 43101, "so it was delivered");
    assert_eq!(scene.messages("openid-li-0408"), 1);
}

#[tokio::test]
async fn an_invalid_field_is_named() {
    let scene = scene(None).await;
    scene.tap("openid-li", "accept").await;
    let (_, answer) = scene.send_data("openid-li", json!({ "phrase2": { "value": "not Han" } })).await;
    assert_eq!(answer["errcode"], 47003);
    assert!(answer["errmsg"].as_str().unwrap().contains("data.phrase2.value invalid rid: "));
    assert_eq!(code(scene.send("openid-li").await), 0, "the consent was not used up");
}

#[tokio::test]
async fn tokens_are_checked_and_end_on_demand() {
    let mut scene = scene(None).await;
    scene.tap("openid-li", "accept").await;
    assert_eq!(scene.stable_token().await, scene.token);
    scene.control.json("POST", "/_sandbox/wechat/tokens/expire", &json!({})).await;
    assert_eq!(code(scene.send("openid-li").await), 42001);
    scene.token = "guessed".into();
    assert_eq!(code(scene.send("openid-li").await), 40001);
    scene.token = scene.stable_token().await;
    assert_eq!(code(scene.send("openid-li").await), 0);
}

#[tokio::test]
async fn an_openid_orders_its_error() {
    let scene = scene(None).await;
    scene.tap("openid-li-43101", "accept").await;
    assert_eq!(code(scene.send("openid-li-43101").await), 43101);
    assert_eq!(code(scene.send("openid-li-45009").await), 45009);
    assert_eq!(code(scene.send("unknown").await), 40003);
}

#[tokio::test]
async fn a_second_simultaneous_message_to_a_person_is_refused() {
    let scene = scene(None).await;
    scene.tap("openid-li", "accept").await;
    let slow = json!({ "gateway": NAME, "operation": "send", "fault": "slow", "times": 1, "delay_ms": 300 });
    scene.control.json("POST", "/_sandbox/faults", &slow).await;
    let (first, second) = tokio::join!(scene.send("openid-li"), scene.send("openid-li"));
    let mut codes = [code(first), code(second)];
    codes.sort_unstable();
    assert_eq!(codes, [0, 43108]);
}

#[tokio::test]
async fn only_given_templates_exist() {
    let scene = scene(None).await;
    let templates = json!([{ "priTmplId": "tpl", "title": "办理结果", "type": 3,
        "content": "办件名称:{{thing1.DATA}}\n结果:{{phrase2.DATA}}" }]);
    assert_eq!(scene.control.json("PUT", "/_sandbox/wechat/templates", &templates).await.0, 204);
    let listed = scene.wechat.get(&format!("/wxaapi/newtmpl/gettemplate?access_token={}", scene.token)).await;
    assert_eq!(listed["data"][0]["priTmplId"], "tpl");
    scene.tap("openid-li", "accept").await;
    assert_eq!(code(scene.send("openid-li").await), 0);
    assert_eq!(code(scene.send("openid-li").await), 0, "a long-term consent lasts");
    let (_, answer) = scene.send_data("openid-li", json!({ "thing1": { "value": "居住证" } })).await;
    assert!(answer["errmsg"].as_str().unwrap().contains("data.phrase2.value"), "every field must be there");
}

#[tokio::test]
async fn a_page_must_be_published_and_a_text_must_be_in_the_list() {
    let scene = scene(None).await;
    let templates = json!([{ "priTmplId": "tpl", "title": "办理结果", "type": 2, "content": "结果:{{phrase2.DATA}}",
        "keywordEnumValueList": [{ "keywordCode": "phrase2.DATA", "enumValueList": ["已办结"] }] }]);
    assert_eq!(scene.control.json("PUT", "/_sandbox/wechat/templates", &templates).await.0, 204);
    assert_eq!(scene.control.json("PUT", "/_sandbox/wechat/pages", &json!(["pages/index"])).await.0, 204);
    scene.tap("openid-li", "accept").await;
    let send = async |page: &str, phrase: &str| {
        let body = json!({ "touser": "openid-li", "template_id": "tpl", "page": page,
            "data": { "phrase2": { "value": phrase } } });
        let path = format!("/cgi-bin/message/subscribe/send?access_token={}", scene.token);
        code(scene.wechat.json("POST", &path, &body).await)
    };
    assert_eq!(send("pages/index?id=1", "已通过").await, 47003);
    assert_eq!(send("pages/elsewhere", "已办结").await, 41030);
    assert_eq!(send("pages/index?id=1", "已办结").await, 0);
    assert_eq!(scene.messages("openid-li"), 1);
}

#[tokio::test]
async fn events_are_signed_and_sent_up_to_three_times() {
    let mut server = CallbackServer::answering(vec![|_| "success".into(), |_| "what?".into()]).await;
    let scene = scene(Some(&server)).await;
    scene.tap("openid-li", "accept").await;
    let popup = server.next().await;
    assert_eq!(code(scene.send("openid-li").await), 0);
    let first = server.next().await;
    let second = server.next().await;
    let third = server.next().await;
    assert!(popup.body != first.body && first.body == second.body && second.body == third.body);
    let query = first.query();
    let body = first.json().unwrap();
    let secret = body["Encrypt"].as_str().unwrap();
    let signed = cipher::signature(&["SandboxToken", query.get("timestamp"), query.get("nonce"), secret]);
    assert_eq!(
        (first.path.as_str(), query.get("msg_signature")),
        ("/callbacks/wechat/sandbox-wechat-callbacks-0123456789abcdef", signed.as_str())
    );
    assert_eq!(query.get("openid"), "openid-li");
}
