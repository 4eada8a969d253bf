//! Devices: installations of a client on phones, as the clients describe themselves.

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::ChannelCode;

/// What kind of client.
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
    /// All of them.
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

/// Whether the phone lets the client show messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushPermission {
    Granted,
    /// The person said no.
    Denied,
    /// Nobody asked yet.
    Unknown,
}

impl PushPermission {
    /// All of them.
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

/// Where a device is pushed to: the token of its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAddress {
    /// Over which channel.
    pub channel: ChannelCode,
    /// The token that the channel gave to the client.
    pub token: Private<String>,
}

/// An installation of a client. It belongs to whoever signed in there last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, made by the client.
    pub id: InstallationId,
    pub person: PersonId,
    /// What kind of client.
    pub platform: Platform,
    /// Where it is pushed to, where its platform has such an address.
    pub push: Option<PushAddress>,
    /// The client's version.
    pub app_version: String,
    /// The phone's version.
    pub os_version: String,
    /// The phone's language.
    pub language: Language,
    /// Whether messages are shown.
    pub push_permission: PushPermission,
    /// When it last told us about itself.
    pub last_seen_at: Instant,
}
