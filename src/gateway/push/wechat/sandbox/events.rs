//! WeChat's calls to Songda, encrypted and signed. A call is made up to three times until the answer is `success`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::cipher::{encrypt, signature};
use super::settings::{NAME, TwinSettings};
use crate::domain::kernel::clock::{random_below, random_bytes};
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::World;
use crate::sandbox::callbacks::Callback;

const TRIES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(5)];
/// The account's name in `ToUserName`.
const ACCOUNT: &str = "gh_0123456789ab";

pub(super) struct Outcome<'a> {
    pub(super) openid: &'a str,
    pub(super) template: &'a str,
    pub(super) msgid: u64,
    pub(super) arrived: bool,
}

pub(super) fn sent(settings: &TwinSettings, world: &World, outcome: &Outcome<'_>) -> Callback {
    let Outcome { openid, template, msgid, arrived } = *outcome;
    let (code, status) = if arrived { ("0", "success") } else { ("43101", "user refuse to accept the msg") };
    let list = json!({
        "TemplateId": template, "MsgID": msgid.to_string(), "ErrorCode": code, "ErrorStatus": status,
    });
    callback(settings, world, openid, "subscribe_msg_sent_event", &list)
}

/// Reports that a person answered the dialog.
pub(super) fn answered(
    settings: &TwinSettings,
    world: &World,
    openid: &str,
    templates: &[String],
    accept: bool,
) -> Callback {
    let answer = if accept { "accept" } else { "reject" };
    let item = |id: &String| json!({ "TemplateId": id, "SubscribeStatusString": answer, "PopupScene": "0" });
    callback(settings, world, openid, "subscribe_msg_popup_event", &list(templates, item))
}

/// Reports that a person switched templates off in the settings.
pub(super) fn switched_off(settings: &TwinSettings, world: &World, openid: &str, templates: &[String]) -> Callback {
    let item = |id: &String| json!({ "TemplateId": id, "SubscribeStatusString": "reject" });
    callback(settings, world, openid, "subscribe_msg_change_event", &list(templates, item))
}

/// WeChat writes one item as an object, and several items as an array.
fn list<'a>(templates: &'a [String], item: impl Fn(&'a String) -> Value) -> Value {
    match templates {
        [template] => item(template),
        several => several.iter().map(item).collect(),
    }
}

fn callback(settings: &TwinSettings, world: &World, openid: &str, event: &str, list: &Value) -> Callback {
    let timestamp = world.now().timestamp().to_string();
    let message = json!({
        "ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": timestamp,
        "MsgType": "event", "Event": event, "List": list,
    });
    // WeChat's random part is 16 printable characters.
    let mut random = [0; 16];
    random.copy_from_slice(hex::encode(random_bytes::<8>()).as_bytes());
    let secret = encrypt(settings.key.expose(), &random, &message.to_string(), &settings.appid);
    let nonce = random_below(1_000_000_000).to_string();
    let token = settings.token.expose();
    let body = json!({ "ToUserName": ACCOUNT, "Encrypt": secret });
    Callback {
        query: vec![
            ("signature", signature(&[token, &timestamp, &nonce])),
            ("msg_signature", signature(&[token, &timestamp, &nonce, &secret])),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("openid", openid.to_owned()),
            ("encrypt_type", "aes".to_owned()),
        ],
        content_type: "application/json",
        accepts: Arc::new(|answer: &HttpAnswer| matches!(&answer.body[..], b"success" | b"")),
        waits: TRIES,
        ..world.callback(NAME, openid, &body)
    }
}
