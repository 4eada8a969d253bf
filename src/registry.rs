//! Lists every gateway that Songda knows. To add one, add a folder under `gateway/` and a line in
//! [`Registry::shipped`]. Tests build their own registries with made-up gateways.

use crate::catalog::FieldRules;
use crate::domain::notice::notification::ChannelCode;
use crate::gateway::courier::{self, CarrierAdapter};
use crate::gateway::identity::{self, IdentityAdapter};
use crate::gateway::login::{self, LoginAdapter};
use crate::gateway::push::{self, ChannelAdapter};

/// A function that builds a gateway's twin, which simulates the gateway in the sandbox.
#[cfg(feature = "development")]
pub type RegisteredTwin = crate::sandbox::TwinMaker;
/// The deployed program has no sandbox, so this type is empty there.
#[cfg(not(feature = "development"))]
pub type RegisteredTwin = ();

/// `twin!(push::wechat)` is the function `sandbox::twin` in the folder of that gateway. The function builds the
/// gateway's twin.
#[cfg(feature = "development")]
macro_rules! twin {
    ($($gateway:ident)::+) => { $($gateway)::+::sandbox::twin };
}
#[cfg(not(feature = "development"))]
macro_rules! twin {
    ($($gateway:ident)::+) => {
        ()
    };
}

/// The adapters of the gateways by kind, and their twins in the sandbox.
#[derive(Clone, Default)]
pub struct Registry {
    channels: Vec<ChannelAdapter>,
    carriers: Vec<CarrierAdapter>,
    identities: Vec<IdentityAdapter>,
    logins: Vec<LoginAdapter>,
    twins: Vec<RegisteredTwin>,
}

impl Registry {
    pub fn shipped() -> Self {
        Self::default()
            .channel(push::wechat::ADAPTER, twin!(push::wechat)) // 微信订阅消息
            .channel(push::sms_aliyun::ADAPTER, twin!(push::sms_aliyun)) // 阿里云短信
            .identity(identity::aliyun::ADAPTER, twin!(identity::aliyun)) // 阿里云实人认证
            .carrier(courier::ems::ADAPTER, twin!(courier::ems)) // 中国邮政速递物流
            .carrier(courier::sf::ADAPTER, twin!(courier::sf)) // 顺丰速运
            .login(login::wechat::ADAPTER) // 微信小程序登录, played by the twin of push::wechat
    }

    #[must_use]
    pub fn channel(mut self, channel: ChannelAdapter, twin: RegisteredTwin) -> Self {
        self.channels.push(channel);
        self.twins.push(twin);
        self
    }

    #[must_use]
    pub fn carrier(mut self, carrier: CarrierAdapter, twin: RegisteredTwin) -> Self {
        self.carriers.push(carrier);
        self.twins.push(twin);
        self
    }

    #[must_use]
    pub fn identity(mut self, identity: IdentityAdapter, twin: RegisteredTwin) -> Self {
        self.identities.push(identity);
        self.twins.push(twin);
        self
    }

    /// Adds a sign-in platform. A platform has no separate twin: the twin of the same platform's push channel simulates
    /// it.
    #[must_use]
    pub fn login(mut self, login: LoginAdapter) -> Self {
        self.logins.push(login);
        self
    }

    pub fn channels(&self) -> &[ChannelAdapter] {
        &self.channels
    }

    pub fn carriers(&self) -> &[CarrierAdapter] {
        &self.carriers
    }

    pub fn identities(&self) -> &[IdentityAdapter] {
        &self.identities
    }

    pub fn logins(&self) -> &[LoginAdapter] {
        &self.logins
    }

    pub fn twins(&self) -> &[RegisteredTwin] {
        &self.twins
    }

    /// Returns, for each channel, the rule by which its gateway checks the fields of message templates. The catalogue
    /// is checked by these rules.
    pub fn field_rules(&self) -> FieldRules {
        self.channels.iter().map(|adapter| (ChannelCode::new(adapter.code), adapter.field_fault)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog;
    use crate::domain::kernel::clock::Clock;
    use crate::env::Env;
    use crate::gateway::courier::{Carriers, office};
    use crate::gateway::login::Logins;
    use crate::gateway::push::Channels;
    use crate::sandbox::SandboxSettings;

    #[test]
    fn the_gateways_accept_the_shipped_templates() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let read = catalog::read(&folder, &Registry::shipped().field_rules());
        assert_eq!(read.err().unwrap_or_default(), []);
    }

    #[test]
    fn every_gateway_has_a_twin_that_needs_no_settings() {
        let registry = Registry::shipped();
        let mut env = Env::default();
        let settings = SandboxSettings::read(&mut env, registry.twins()).unwrap();
        assert!(env.described().iter().all(|setting| setting.name.starts_with("SONGDA_SANDBOX_")));
        let played: Vec<&str> = settings.twins.iter().map(|twin| twin.name()).collect();
        let channels = registry.channels().iter().map(|adapter| adapter.code);
        let carriers = registry.carriers().iter().map(|adapter| adapter.code);
        let identities = registry.identities().iter().map(|adapter| adapter.code);
        let logins = registry.logins().iter().map(|adapter| adapter.code);
        for code in channels.chain(carriers).chain(identities).chain(logins) {
            assert!(played.contains(&code), "{code} has no twin");
        }
    }

    #[test]
    fn every_secret_of_the_sandbox_is_recognised_as_one() {
        let sandbox = SandboxSettings::for_tests(Registry::shipped().twins());
        let is_secret = |name: &str| {
            !name.ends_with("_KEY_ID")
                && ["SECRET", "_KEY", "TOKEN", "WORD", "AUTHORIZATION"].iter().any(|part| name.contains(part))
        };
        let settings = sandbox.client_settings("http://127.0.0.1:8090");
        let secrets: Vec<_> = settings.into_iter().filter(|(name, _)| is_secret(name)).collect();
        assert!(secrets.len() >= 12, "{secrets:?}");
        for (name, value) in secrets {
            assert!(value.to_ascii_lowercase().contains("sandbox"), "{name}");
        }
    }

    #[test]
    fn the_twins_provide_all_settings_of_their_gateways() {
        let registry = Registry::shipped();
        let sandbox = SandboxSettings::for_tests(registry.twins());
        let mut env = Env::of(sandbox.client_settings("http://127.0.0.1:8090"));
        let clock = Clock::system();
        assert_eq!(Channels::read(&mut env, registry.channels(), &clock).iter().count(), registry.channels().len());
        assert_eq!(Carriers::read(&mut env, registry.carriers(), &clock).iter().count(), registry.carriers().len());
        assert_eq!(Logins::read(&mut env, registry.logins(), &clock).iter().count(), registry.logins().len());
        assert!(identity::read(&mut env, registry.identities(), &clock).is_some());
        assert!(office(&mut env).is_some());
        assert!(env.faults().is_empty(), "{:?}", env.faults());
    }
}
