//! Devices: installations of a client on phones, as described by the clients.

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::ChannelCode;

/// The kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A WeChat mini-program (小程序).
    WechatMini,
    /// A web page on a phone.
    H5,
    /// An iPhone app.
    Ios,
    /// An Android app.
    Android,
    /// A HarmonyOS app.
    Harmony,
}

impl Platform {
    pub const ALL: [Self; 5] = [Self::WechatMini, Self::H5, Self::Ios, Self::Android, Self::Harmony];

    /// As stored and as clients name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WechatMini => "wechat_mini",
            Self::H5 => "h5",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Harmony => "harmony",
        }
    }
}

/// The phone's permission for the client to show messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushPermission {
    Granted,
    /// The person said no.
    Denied,
    /// The client has not asked yet.
    Unknown,
}

impl PushPermission {
    pub const ALL: [Self; 3] = [Self::Granted, Self::Denied, Self::Unknown];

    /// As stored and as clients name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }
}

/// The push address of a device: the token of its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAddress {
    pub channel: ChannelCode,
    /// The token that the channel gave to the client.
    pub token: Private<String>,
}

/// An installation of a client. It belongs to the person who signed in there last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, made by the client.
    pub id: InstallationId,
    pub person: PersonId,
    pub platform: Platform,
    /// Its push address, if its platform has one.
    pub push: Option<PushAddress>,
    /// The client's version.
    pub app_version: String,
    /// The version of the phone's operating system.
    pub os_version: String,
    /// The phone's language.
    pub language: Language,
    pub push_permission: PushPermission,
    /// When it last described itself to the server.
    pub last_seen_at: Instant,
}
