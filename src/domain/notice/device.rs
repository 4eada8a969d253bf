//! Devices: the installations of a client on phones, as each client describes itself.

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::kernel::words::words;
use crate::domain::notice::notification::ChannelCode;

words! {
    /// The kind of client.
    pub enum Platform {
        /// A WeChat mini-program (小程序).
        WechatMini = "wechat_mini",
        /// A web page on a phone.
        H5 = "h5",
        Ios = "ios",
        Android = "android",
        Harmony = "harmony",
    }
}

words! {
    /// The phone's permission for the client to show messages.
    pub enum PushPermission {
        Granted = "granted",
        Denied = "denied",
        /// The client has not asked yet.
        Unknown = "unknown",
    }
}

/// The push address of a device: the token of its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAddress {
    pub channel: ChannelCode,
    pub token: Private<String>,
}

/// An installation of a client. It belongs to the person who signed in there last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The client makes it.
    pub id: InstallationId,
    pub person: PersonId,
    pub platform: Platform,
    /// Its push address, if its platform has one.
    pub push: Option<PushAddress>,
    pub app_version: String,
    pub os_version: String,
    pub language: Language,
    pub push_permission: PushPermission,
    /// When the client last described itself to the server.
    pub last_seen_at: Instant,
}
