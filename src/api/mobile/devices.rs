//! Installations of clients: called at each start and whenever a push token changes.

use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::person::LanguageTag;
use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::casework::people::People;
use crate::casework::people::devices::RegisterError;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Bilingual;
use crate::domain::notice::device::{Device, Platform, PushAddress, PushPermission};
use crate::domain::notice::notification::ChannelCode;

/// The operations.
pub struct Devices(pub People);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Devices")]
impl Devices {
    /// Keeps an installation as it describes itself; it belongs to whoever called this last.
    #[oai(path = "/devices/:installation_id", method = "put", operation_id = "put_device")]
    async fn put(
        &self,
        person: Person,
        installation_id: Path<InstallationId>,
        body: Body<DeviceBody>,
    ) -> Result<Done, Problem> {
        let device = body.into_inner().read(installation_id.0, person.id, self.0.clock.now())?;
        self.0.devices().register(&device).await?;
        Ok(Done::NoContent)
    }

    /// Forgets an installation; call it when signing out.
    #[oai(path = "/devices/:installation_id", method = "delete", operation_id = "delete_device")]
    async fn delete(&self, person: Person, installation_id: Path<InstallationId>) -> Result<Done, Problem> {
        let was_there = self.0.devices().forget(person.id, installation_id.0).await?;
        if was_there { Ok(Done::NoContent) } else { Err(Code::NotFound.into()) }
    }
}

/// An installation.
#[derive(Object)]
#[oai(rename = "Device", deny_unknown_fields, example, skip_serializing_if_is_none)]
struct DeviceBody {
    /// What kind of client.
    platform: PlatformWord,
    /// The channel that gave the token; together with it or not at all.
    #[oai(validator(max_length = 30))]
    push_channel: Option<String>,
    /// The push token.
    #[oai(validator(max_length = 4096))]
    push_token: Option<String>,
    /// The client's version.
    #[oai(validator(max_length = 50, pattern = r"^[^\x00]*$"))]
    app_version: String,
    /// The phone's version.
    #[oai(validator(max_length = 50, pattern = r"^[^\x00]*$"))]
    os_version: String,
    /// The phone's language.
    language: LanguageTag,
    /// Whether the phone shows messages.
    push_permission: PermissionWord,
}

impl DeviceBody {
    fn read(self, id: InstallationId, person: PersonId, now: Instant) -> Result<Device, Problem> {
        let push = match (self.push_channel, self.push_token) {
            (Some(channel), Some(token)) => {
                Some(PushAddress { channel: ChannelCode::new(channel), token: Private::new(token) })
            }
            (None, None) => None,
            (Some(_), None) => return Err(missing("/push_token")),
            (None, Some(_)) => return Err(missing("/push_channel")),
        };
        Ok(Device {
            id,
            person,
            platform: self.platform.into(),
            push,
            app_version: self.app_version,
            os_version: self.os_version,
            language: self.language.into(),
            push_permission: self.push_permission.into(),
            last_seen_at: now,
        })
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::UnknownChannel => {
                let message = Bilingual::new("本系统没有这个推送渠道", "This installation has no such channel");
                Self::new(Code::InvalidBody).errors(vec![FieldError::new("/push_channel", "unknown_channel", message)])
            }
            RegisterError::Store(error) => error.into(),
        }
    }
}

fn missing(pointer: &str) -> Problem {
    let message = Bilingual::new("推送渠道与令牌须同时提供", "Channel and token come together");
    Problem::new(Code::InvalidBody).errors(vec![FieldError::new(pointer, "required", message)])
}

impl Example for DeviceBody {
    fn example() -> Self {
        Self {
            platform: PlatformWord::WechatMini,
            push_channel: None,
            push_token: None,
            app_version: "1.4.0".to_owned(),
            os_version: "iOS 19.1".to_owned(),
            language: LanguageTag::Chinese,
            push_permission: PermissionWord::Unknown,
        }
    }
}

/// What kind of client.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Platform", rename_all = "snake_case", remote = "Platform")]
enum PlatformWord {
    /// A WeChat mini-program.
    WechatMini,
    /// A web page.
    H5,
    /// An iPhone app.
    Ios,
    /// An Android app.
    Android,
    /// A HarmonyOS app.
    Harmony,
}

/// Whether the phone shows messages.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "PushPermission", rename_all = "snake_case", remote = "PushPermission")]
enum PermissionWord {
    /// It does.
    Granted,
    /// The person said no.
    Denied,
    /// Nobody asked yet.
    Unknown,
}

#[derive(ApiResponse)]
enum Done {
    /// Done.
    #[oai(status = 204)]
    NoContent,
}
