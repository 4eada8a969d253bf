//! What a gateway refuses in part, or too late to be undone, and how the promise is kept all the same.

use serde_json::{Value, json};
use songda::demo::http::Caller;
use songda::demo::journeys;

use crate::harness::Desk;

/// Asks the sandbox itself for something.
async fn control(desk: &Desk, path: &str, body: Value) {
    let sandbox = Caller::new(desk.sandbox.base_url().parse().unwrap()).unwrap();
    sandbox.put(path).json(&body).success().await.unwrap_or_else(|mishap| panic!("{path}: {mishap}"));
}

/// WeChat's list of templates, where decisions in Chinese take one phrase only.
fn templates() -> Value {
    let template = |kind: &str, language: &str| {
        let status = if language == "zh" { "phrase2" } else { "thing2" };
        let fields = ["thing1", status, "character_string3", "time4"].map(|field| format!("{{{{{field}.DATA}}}}"));
        let filler = "0".repeat(25 - kind.len());
        let id = format!("songda_{kind}_{language}_{filler}1");
        json!({"priTmplId": id, "title": kind, "type": 2, "content": fields.join("\n")})
    };
    let mut decision = template("decision", "zh");
    decision["keywordEnumValueList"] = json!([{"keywordCode": "phrase2.DATA", "enumValueList": ["已经办结"]}]);
    let others = [("progress", "zh"), ("parcel", "zh"), ("progress", "en"), ("decision", "en"), ("parcel", "en")];
    [decision].into_iter().chain(others.map(|(kind, language)| template(kind, language))).collect()
}

#[tokio::test]
async fn a_message_goes_without_the_page_or_the_words_that_wechat_refuses() {
    let desk = Desk::open().await;
    control(&desk, "/_sandbox/wechat/templates", templates()).await;
    control(&desk, "/_sandbox/wechat/pages", json!(["pages/case/index"])).await;
    journeys::certificate(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    let phones = desk.outside().phones().await.unwrap();
    let wechat: Vec<_> = phones.values().flatten().filter(|message| message.channel == "wechat").collect();
    let decided: Vec<_> = wechat.iter().filter(|message| message.says("已经办结")).collect();
    assert!(matches!(decided[..], [message] if message.fields.contains_key("page")), "{wechat:?}");
    let brought: Vec<_> = wechat.iter().filter(|message| message.says("已经签收")).collect();
    assert!(matches!(brought[..], [message] if !message.fields.contains_key("page")), "{wechat:?}");
    desk.close().await;
}
