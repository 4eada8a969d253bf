//! Settings of subscribe messages.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::push::{CallbackAccess, CallbackNames};
use crate::gateway::shared::wechat::MiniProgram;

use super::cipher::AesKey;

/// The build of the mini-program that a tap on a message opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MiniprogramState {
    /// 开发版: the developer's build.
    Developer,
    /// 体验版: the build for trials.
    Trial,
    /// 正式版: the published build.
    Formal,
}

impl FromStr for MiniprogramState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        serde_json::from_value(text.into()).map_err(drop)
    }
}

/// The secrets with which a callback from WeChat is verified and decrypted.
#[derive(Debug, Clone)]
pub struct CallbackSettings {
    pub token: Private<String>,
    /// The `EncodingAESKey`s, the current key first. Empty in plain mode, in which WeChat does not encrypt. Its signature
    /// then does not cover the content, so only development builds accept plain mode.
    pub keys: Vec<AesKey>,
}

impl CallbackSettings {
    fn read(env: &mut Env) -> Option<Self> {
        let token =
            env.optional_secret("SONGDA_WECHAT_TOKEN", "Token of WeChat's message push; without it no call is read");
        let current = key(
            env,
            "SONGDA_WECHAT_AES_KEY",
            "EncodingAESKey of WeChat's message push, which needs it in a deployed program",
        );
        let previous =
            key(env, "SONGDA_WECHAT_AES_KEY_PREVIOUS", "the EncodingAESKey before the last change, for a while");
        let keys: Vec<_> = current.into_iter().chain(previous).collect();
        if token.is_none() && !keys.is_empty() {
            env.fault("SONGDA_WECHAT_AES_KEY is set without SONGDA_WECHAT_TOKEN");
        }
        if token.is_some() && keys.is_empty() && env.is_deployed() {
            env.fault("SONGDA_WECHAT_TOKEN is set without SONGDA_WECHAT_AES_KEY: choose the safe mode (安全模式) in WeChat's console");
        }
        Some(Self { token: token?, keys })
    }
}

fn key(env: &mut Env, name: &'static str, meaning: &'static str) -> Option<AesKey> {
    let text = env.optional_secret(name, meaning)?;
    let key = AesKey::parse(text.expose());
    if key.is_none() {
        env.fault(format!("{name} is not 43 characters of base 64"));
    }
    key
}

/// WeChat limits subscribe messages to ten million a day, and documents no limit per second.
const PACE: PaceNames =
    PaceNames { rate: "SONGDA_WECHAT_RATE", default_rate: "1000", slots: "SONGDA_WECHAT_SLOTS", default_slots: "64" };

const CALLBACKS: CallbackNames = CallbackNames {
    secret: "SONGDA_WECHAT_CALLBACK_SECRET",
    previous: "SONGDA_WECHAT_CALLBACK_SECRET_PREVIOUS",
    sources: "SONGDA_WECHAT_CALLBACK_SOURCES",
};

#[derive(Debug, Clone)]
pub struct WechatSettings {
    pub account: MiniProgram,
    pub pace: Pace,
    pub state: MiniprogramState,
    /// `None` if Songda accepts no callbacks from WeChat.
    pub callbacks: Option<CallbackSettings>,
    pub access: Option<CallbackAccess>,
}

impl WechatSettings {
    /// Reads the settings; `None` if the channel is off or the settings have faults.
    pub fn read(env: &mut Env) -> Option<Self> {
        if !env.or::<bool>("SONGDA_WECHAT_ENABLED", "true", "`true`: WeChat subscribe messages are sent")? {
            return None;
        }
        let account = MiniProgram::read(env);
        let pace = Pace::read(env, &PACE);
        let state = "which build of the mini-program a tap opens: developer, trial or formal";
        let state = env.or("SONGDA_WECHAT_MINIPROGRAM_STATE", "formal", state);
        let callbacks = CallbackSettings::read(env);
        let access = CallbackAccess::read_optional(env, &CALLBACKS);
        if callbacks.is_some() && access.is_none() {
            env.fault("SONGDA_WECHAT_TOKEN is set without a valid SONGDA_WECHAT_CALLBACK_SECRET");
        }
        Some(Self { account: account?, pace: pace?, state: state?, callbacks, access })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_is_off_needs_no_settings() {
        let mut env = Env::of([("SONGDA_WECHAT_ENABLED", "false")]);
        assert!(WechatSettings::read(&mut env).is_none() && env.faults().is_empty());
    }

    #[test]
    fn faults_are_reported_together_and_once() {
        let mut env = Env::of([("SONGDA_WECHAT_AES_KEY", "short"), ("SONGDA_WECHAT_MINIPROGRAM_STATE", "beta")]);
        assert!(WechatSettings::read(&mut env).is_none());
        assert_eq!(env.faults().len(), 4, "{:?}", env.faults());
        assert!(MiniProgram::read(&mut env).is_none());
        assert_eq!(env.faults().len(), 4, "sign-in needs the same settings");
    }

    const GIVEN: [(&str, &str); 5] = [
        ("SONGDA_WECHAT_APPID", "wx0000000000000000"),
        ("SONGDA_WECHAT_SECRET", "hush"),
        ("SONGDA_WECHAT_TOKEN", "hushToken"),
        ("SONGDA_WECHAT_CALLBACK_SECRET", "hush0123456789abcdef0123456789abcdef"),
        ("SONGDA_WECHAT_AES_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ];

    #[test]
    fn a_deployed_program_takes_no_callbacks_in_plain_mode() {
        let plain = || Env::of(GIVEN.into_iter().filter(|(name, _)| *name != "SONGDA_WECHAT_AES_KEY"));
        let mut env = plain();
        assert!(WechatSettings::read(&mut env).is_some() && env.faults().is_empty(), "{:?}", env.faults());
        let mut env = plain().deployed();
        WechatSettings::read(&mut env);
        assert!(matches!(env.faults(), [fault] if fault.contains("SONGDA_WECHAT_AES_KEY")), "{:?}", env.faults());
        let mut env = Env::of(GIVEN).deployed();
        assert!(WechatSettings::read(&mut env).is_some() && env.faults().is_empty(), "{:?}", env.faults());
    }

    #[test]
    fn a_token_needs_a_secret_path() {
        let mut env = Env::of(GIVEN.into_iter().filter(|(name, _)| *name != "SONGDA_WECHAT_CALLBACK_SECRET"));
        WechatSettings::read(&mut env);
        assert!(matches!(env.faults(), [fault] if fault.contains("CALLBACK_SECRET")), "{:?}", env.faults());
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut env = Env::of(GIVEN);
        let printed = format!("{:?}", WechatSettings::read(&mut env).unwrap());
        assert!(!printed.contains("hush") && !printed.contains("[0, 0"), "{printed}");
    }
}
