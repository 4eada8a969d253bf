//! WeChat's callbacks to Songda, encrypted and signed. A callback is sent at most three times, until Songda's answer is
//! `success` or empty.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::WeChat;
use super::cipher::{encrypt, signature};
use super::consents::Tap;
use super::settings::NAME;
use crate::domain::kernel::clock::{random_below, random_bytes};
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::World;
use crate::sandbox::callbacks::Callback;

const TRIES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(5)];
/// The account's name in `ToUserName`.
const ACCOUNT: &str = "gh_0123456789ab";

impl WeChat {
    /// Builds the callback that reports whether a message was delivered.
    pub(super) fn message_event(
        &self,
        world: &World,
        openid: &str,
        template: &str,
        msgid: u64,
        lost: bool,
    ) -> Callback {
        let (code, status) = if lost { ("43101", "user refuse to accept the msg") } else { ("0", "success") };
        let list = json!({
            "TemplateId": template, "MsgID": msgid.to_string(), "ErrorCode": code, "ErrorStatus": status,
        });
        self.event(world, openid, "subscribe_msg_sent_event", &list)
    }

    /// Builds the callback that reports a person's answer in the consent dialog, or a change in the person's settings.
    pub(super) fn consent_event(&self, world: &World, openid: &str, templates: &[String], tap: Tap) -> Callback {
        let answer = if tap == Tap::Accept { "accept" } else { "reject" };
        let item = |id: &String| match tap {
            Tap::SwitchOff => json!({ "TemplateId": id, "SubscribeStatusString": answer }),
            _ => json!({ "TemplateId": id, "SubscribeStatusString": answer, "PopupScene": "0" }),
        };
        // WeChat writes one item as an object, and several items as an array.
        let list = match templates {
            [template] => item(template),
            several => several.iter().map(item).collect(),
        };
        let in_settings = tap == Tap::SwitchOff;
        let event = if in_settings { "subscribe_msg_change_event" } else { "subscribe_msg_popup_event" };
        self.event(world, openid, event, &list)
    }

    fn event(&self, world: &World, openid: &str, event: &str, list: &Value) -> Callback {
        let timestamp = world.now().timestamp().to_string();
        let message = json!({
            "ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": timestamp,
            "MsgType": "event", "Event": event, "List": list,
        });
        // The encrypted text begins with 16 random bytes. WeChat uses printable characters.
        let mut random = [0; 16];
        random.copy_from_slice(hex::encode(random_bytes::<8>()).as_bytes());
        let secret = encrypt(self.settings.key.expose(), &random, &message.to_string(), &self.settings.appid);
        let nonce = random_below(1_000_000_000).to_string();
        let token = self.settings.token.expose();
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
}
