//! Devices: installations of client apps. An app registers its installation at each start, and when its push token
//! changes.

use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::{Body, Done, FieldError, Person, Problem, example};
use crate::casework::people::People;
use crate::casework::people::devices::RegisterError;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{InstallationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::device::{Device, Platform, PushAddress, PushPermission};
use crate::domain::notice::notification::ChannelCode;

pub struct Devices(pub People);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Devices")]
impl Devices {
    /// 登记设备 · Register a device
    ///
    /// Stores an installation of a client app. Its push token belongs to the person who registered the token last.
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

    /// 注销设备 · Remove a device
    ///
    /// Clients call this operation when the person signs out.
    #[oai(path = "/devices/:installation_id", method = "delete", operation_id = "delete_device")]
    async fn delete(&self, person: Person, installation_id: Path<InstallationId>) -> Result<Done, Problem> {
        Done::if_found(self.0.devices().forget(person.id, installation_id.0).await?)
    }
}

/// 设备。 An installation of a client app.
#[derive(Object)]
#[oai(rename = "Device", deny_unknown_fields, example, skip_serializing_if_is_none)]
struct DeviceBody {
    platform: Platform,
    /// The channel of the push token. Send both `push_channel` and `push_token`, or neither.
    #[oai(validator(max_length = 30))]
    push_channel: Option<String>,
    #[oai(validator(max_length = 4096))]
    push_token: Option<String>,
    #[oai(validator(max_length = 50, pattern = r"^[^\x00]*$"))]
    app_version: String,
    #[oai(validator(max_length = 50, pattern = r"^[^\x00]*$"))]
    os_version: String,
    language: Language,
    push_permission: PushPermission,
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
            platform: self.platform,
            push,
            app_version: self.app_version,
            os_version: self.os_version,
            language: self.language,
            push_permission: self.push_permission,
            last_seen_at: now,
        })
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::UnknownChannel => Self::invalid([FieldError::new(
                "/push_channel",
                "unknown_channel",
                "本系统没有这个推送渠道",
                "This installation has no such channel",
            )]),
            RegisterError::Store(error) => error.into(),
        }
    }
}

fn missing(pointer: &str) -> Problem {
    let zh = "推送渠道与令牌须同时提供";
    Problem::invalid([FieldError::new(pointer, "required", zh, "Push channel and token must be sent together")])
}

example!(DeviceBody {
    platform: Platform::WechatMini,
    push_channel: None,
    push_token: None,
    app_version: "1.4.0".to_owned(),
    os_version: "iOS 19.1".to_owned(),
    language: Language::Chinese,
    push_permission: PushPermission::Unknown,
});
