//! The keys of the mini-program that the sandbox plays WeChat for.

use std::time::Duration;

use super::cipher;
use crate::domain::kernel::private::Private;
use crate::env::Env;

pub(super) struct Settings {
    pub(super) appid: String,
    pub(super) secret: Private<String>,
    pub(super) token: Private<String>,
    pub(super) key: Private<[u8; 32]>,
    /// The secret last part of the callbacks' path.
    pub(super) callback_secret: Private<String>,
    pub(super) token_lifetime: Duration,
}

impl Settings {
    pub(super) fn read(env: &mut Env) -> Option<Self> {
        let appid = env.or("SONGDA_SANDBOX_WECHAT_APPID", "wx0000000000000000", "id of the mini-program");
        let secret = env.or("SONGDA_SANDBOX_WECHAT_SECRET", "sandbox-secret", "secret of the mini-program");
        let token = env.or("SONGDA_SANDBOX_WECHAT_TOKEN", "SandboxToken", "Token that signs WeChat's callbacks");
        let key = env.or::<String>(
            "SONGDA_SANDBOX_WECHAT_AES_KEY",
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
            "EncodingAESKey of WeChat's callbacks, 43 characters",
        );
        let callback_secret = env.or(
            "SONGDA_SANDBOX_WECHAT_CALLBACK_SECRET",
            "sandbox",
            "secret last part of the path of WeChat's callbacks",
        );
        let token_lifetime =
            env.duration("SONGDA_SANDBOX_WECHAT_TOKEN_LIFETIME", "2h", "how long an access token is good");
        let key = key.and_then(|text| {
            let key = cipher::key(&text);
            if key.is_none() {
                env.fault("SONGDA_SANDBOX_WECHAT_AES_KEY is not 43 characters of base64");
            }
            key
        });
        Some(Self {
            appid: appid?,
            secret: Private::new(secret?),
            token: Private::new(token?),
            key: Private::new(key?),
            callback_secret: Private::new(callback_secret?),
            token_lifetime: token_lifetime?,
        })
    }
}
