//! Simulates WeChat's sign-in: exchanges a code of `wx.login` for an openid (`code2Session`). A code can be used once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::Response;
use serde_json::json;

use super::WeChat;
use super::answer::{refuse, say};
use super::settings::NAME;
use crate::domain::kernel::clock::random_bytes;
use crate::sandbox::World;
use crate::sandbox::call::TwinCall;
use crate::sandbox::faults::{CallTarget, Denial};

impl WeChat {
    pub(super) async fn sign_in(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let query = call.query();
        if let Err(code) = self.settings.check_app(query.get("appid"), query.get("secret")) {
            return refuse(code, "app");
        }
        let code = query.get("js_code").to_owned();
        if code.is_empty() {
            return refuse(41008, "missing code");
        }
        let name = code.strip_prefix("wx-").map(|rest| rest.split('.').next().unwrap_or(rest));
        let Some(openid) = name.map(|name| format!("openid-{name}")) else { return refuse(40029, "invalid code") };
        let target = CallTarget { gateway: NAME, operation: "jscode2session", recipient: &openid };
        let answer = |denial| match denial {
            Some(Denial::Throttled) => refuse(45011, "api minute-quota reach limit"),
            Some(Denial::UserRefused) => refuse(40226, "code blocked"),
            Some(Denial::ExpiredToken | Denial::UnknownNumber) => refuse(40029, "invalid code"),
            None if !self.codes.is_new(&code, world.now()) => refuse(40029, "invalid code"),
            None => {
                let session_key = STANDARD.encode(random_bytes::<16>());
                say(&json!({ "openid": openid, "session_key": session_key }))
            }
        };
        world.perform(target, answer).await
    }
}
