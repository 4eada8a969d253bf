//! The account of the mini-program at the simulated WeChat: ids, keys and secrets.

use std::time::Duration;

use super::answer::Errcode;
use super::cipher;
use crate::domain::kernel::private::Private;
use crate::env::Env;

pub(super) const NAME: &str = "wechat";

pub(super) struct TwinSettings {
    pub(super) appid: String,
    secret: Private<String>,
    pub(super) token: Private<String>,
    aes_key: Private<String>,
    pub(super) key: Private<[u8; 32]>,
    pub(super) token_lifetime: Duration,
}

impl TwinSettings {
    pub(super) fn read(env: &mut Env) -> Option<Self> {
        let appid = env.or("SONGDA_SANDBOX_WECHAT_APPID", "wx0000000000000000", "id of the mini-program");
        let secret = env.or("SONGDA_SANDBOX_WECHAT_SECRET", "sandbox-wechat-secret", "secret of the mini-program");
        let token = env.or("SONGDA_SANDBOX_WECHAT_TOKEN", "SandboxToken", "Token that signs WeChat's callbacks");
        let default = "SandboxSandboxSandboxSandboxSandboxSandbox0";
        let meaning = "EncodingAESKey of WeChat's callbacks, 43 characters";
        let aes_key = env.or::<String>("SONGDA_SANDBOX_WECHAT_AES_KEY", default, meaning)?;
        let token_lifetime =
            env.duration("SONGDA_SANDBOX_WECHAT_TOKEN_LIFETIME", "2h", "how long an access token is good");
        let key = cipher::key(&aes_key);
        if key.is_none() {
            env.fault("SONGDA_SANDBOX_WECHAT_AES_KEY is not 43 characters of base64");
        }
        Some(Self {
            appid: appid?,
            secret: Private::new(secret?),
            token: Private::new(token?),
            aes_key: Private::new(aes_key),
            key: Private::new(key?),
            token_lifetime: token_lifetime?,
        })
    }

    /// The settings with which `push::wechat` and `login::wechat` use this simulation. It allows more calls a second
    /// than WeChat.
    pub(super) fn client_settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SONGDA_WECHAT_APPID", self.appid.clone()),
            ("SONGDA_WECHAT_SECRET", self.secret.expose().clone()),
            ("SONGDA_WECHAT_TOKEN", self.token.expose().clone()),
            ("SONGDA_WECHAT_AES_KEY", self.aes_key.expose().clone()),
            ("SONGDA_WECHAT_RATE", "5000".to_owned()),
        ]
    }

    /// Verifies a caller's credentials. The error is WeChat's error code.
    pub(super) fn check_app(&self, appid: &str, secret: &str) -> Result<(), Errcode> {
        match (appid, secret) {
            ("", _) => Err(41002),
            (_, "") => Err(41004),
            _ if appid != self.appid => Err(40013),
            _ if secret != self.secret.expose() => Err(40125),
            _ => Ok(()),
        }
    }
}
