//! Every gateway that Songda knows. To add one is to add a folder under `gateway/` and a line here; whoever builds a
//! process from a registry of their own, as the tests do, adds it in the same words.

use crate::catalog::FieldRules;
use crate::domain::notice::notification::ChannelCode;
use crate::gateway::{courier, push};

/// A gateway's twin in the sandbox. The deployed program has no sandbox: there it is nothing.
#[cfg(feature = "development")]
pub type Twin = crate::sandbox::Maker;
/// A gateway's twin in the sandbox. The deployed program has no sandbox: there it is nothing.
#[cfg(not(feature = "development"))]
pub type Twin = ();

/// `twin!(push::wechat)` is the twin in the folder of that gateway.
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

/// Channels, carriers, and the sandbox's twins of all gateways.
#[derive(Clone, Default)]
pub struct Registry {
    channels: Vec<push::Adapter>,
    carriers: Vec<courier::Adapter>,
    twins: Vec<Twin>,
}

impl Registry {
    /// What Songda ships: one line each.
    #[must_use]
    pub fn shipped() -> Self {
        Self::default()
            .channel(push::wechat::ADAPTER, twin!(push::wechat)) // 微信订阅消息
            .channel(push::sms_aliyun::ADAPTER, twin!(push::sms_aliyun)) // 阿里云短信
            .carrier(courier::ems::ADAPTER, twin!(courier::ems)) // 中国邮政速递物流
            .carrier(courier::sf::ADAPTER, twin!(courier::sf)) // 顺丰速运
            .twin(twin!(crate::gateway::identity::aliyun)) // 阿里云实人认证
    }

    /// Adds a channel and its twin.
    #[must_use]
    pub fn channel(mut self, channel: push::Adapter, twin: Twin) -> Self {
        self.channels.push(channel);
        self.twin(twin)
    }

    /// Adds a carrier and its twin.
    #[must_use]
    pub fn carrier(mut self, carrier: courier::Adapter, twin: Twin) -> Self {
        self.carriers.push(carrier);
        self.twin(twin)
    }

    /// Adds the twin of a gateway that is neither.
    #[must_use]
    pub fn twin(mut self, twin: Twin) -> Self {
        self.twins.push(twin);
        self
    }

    /// All channels.
    #[must_use]
    pub fn channels(&self) -> &[push::Adapter] {
        &self.channels
    }

    /// All carriers.
    #[must_use]
    pub fn carriers(&self) -> &[courier::Adapter] {
        &self.carriers
    }

    /// All twins.
    #[must_use]
    pub fn twins(&self) -> &[Twin] {
        &self.twins
    }

    /// What the channels' gateways would refuse in a template: the catalogue is checked with it.
    #[must_use]
    pub fn field_rules(&self) -> FieldRules {
        self.channels.iter().map(|adapter| (ChannelCode::new(adapter.code), adapter.field_fault)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog;
    use crate::env::Env;
    use crate::sandbox::Settings;

    #[test]
    fn the_shipped_templates_hold_what_the_gateways_take() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let read = catalog::read(&folder, &Registry::shipped().field_rules());
        assert_eq!(read.err().unwrap_or_default(), []);
    }

    #[test]
    fn the_twins_need_no_settings_and_have_the_names_of_their_gateways() {
        let (registry, mut env) = (Registry::shipped(), Env::default());
        let settings = Settings::read(&mut env, registry.twins()).unwrap();
        assert!(env.described().iter().all(|setting| setting.name.starts_with("SONGDA_SANDBOX_")));
        let played: Vec<&str> = settings.twins.iter().map(|twin| twin.name()).collect();
        let channels = registry.channels().iter().map(|adapter| adapter.code);
        for code in channels.chain(registry.carriers().iter().map(|adapter| adapter.code)) {
            assert!(played.contains(&code), "{code} has no twin");
        }
    }
}
