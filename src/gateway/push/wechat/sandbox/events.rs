//! What WeChat tells a mini-program's server: encrypted, signed, up to three times until it hears `success`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::cipher::{encrypt, signature};
use super::settings::Settings;
use crate::domain::kernel::clock::{Instant, random_below, random_bytes};
use crate::gateway::shared::http::Answer;
use crate::sandbox::callbacks::Callback;

const TRIES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(5)];
/// The account's own name, `ToUserName`.
const ACCOUNT: &str = "gh_0123456789ab";

/// A message was sent: what became of it.
pub(super) fn sent(
    settings: &Settings,
    openid: &str,
    template: &str,
    msgid: u64,
    arrived: bool,
    now: Instant,
) -> Callback {
    let (code, status) = if arrived { ("0", "success") } else { ("43101", "user refuse to accept the msg") };
    let list = json!({
        "TemplateId": template, "MsgID": msgid.to_string(), "ErrorCode": code, "ErrorStatus": status,
    });
    callback(settings, openid, "subscribe_msg_sent_event", &list, now)
}

/// The person answered the dialog.
pub(super) fn answered(
    settings: &Settings,
    openid: &str,
    templates: &[String],
    accept: bool,
    now: Instant,
) -> Callback {
    let answer = if accept { "accept" } else { "reject" };
    let item = |id: &String| json!({ "TemplateId": id, "SubscribeStatusString": answer, "PopupScene": "0" });
    callback(settings, openid, "subscribe_msg_popup_event", &list(templates, item), now)
}

/// The person switched templates off in the settings.
pub(super) fn switched_off(settings: &Settings, openid: &str, templates: &[String], now: Instant) -> Callback {
    let item = |id: &String| json!({ "TemplateId": id, "SubscribeStatusString": "reject" });
    callback(settings, openid, "subscribe_msg_change_event", &list(templates, item), now)
}

/// One item is written as an object, several as an array.
fn list<'a>(templates: &'a [String], item: impl Fn(&'a String) -> Value) -> Value {
    match templates {
        [template] => item(template),
        several => several.iter().map(item).collect(),
    }
}

fn callback(settings: &Settings, openid: &str, event: &str, list: &Value, now: Instant) -> Callback {
    let message = json!({
        "ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": now.timestamp().to_string(),
        "MsgType": "event", "Event": event, "List": list,
    });
    // WeChat's random part is 16 characters, not 16 bytes of any value.
    let mut random = [0; 16];
    random.copy_from_slice(hex::encode(random_bytes::<8>()).as_bytes());
    let secret = encrypt(settings.key.expose(), &random, &message.to_string(), &settings.appid);
    let (timestamp, nonce) = (now.timestamp().to_string(), random_below(1_000_000_000).to_string());
    let token = settings.token.expose();
    Callback {
        gateway: super::NAME,
        recipient: openid.to_owned(),
        path: format!("/callbacks/wechat/{}", settings.callback_secret.expose()),
        query: vec![
            ("signature", signature(&[token, &timestamp, &nonce])),
            ("msg_signature", signature(&[token, &timestamp, &nonce, &secret])),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("openid", openid.to_owned()),
            ("encrypt_type", "aes".to_owned()),
        ],
        content_type: "application/json",
        body: Bytes::from(json!({ "ToUserName": ACCOUNT, "Encrypt": secret }).to_string()),
        accepts: Arc::new(|answer: &Answer| matches!(&answer.body[..], b"success" | b"")),
        waits: TRIES,
        about: Vec::new(),
    }
}
