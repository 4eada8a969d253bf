//! A person's own data, as the person sees it. Identity and phone number are masked, because other people can see the
//! screen of a phone.

use poem_openapi::Object;

use crate::api::edge::{EXAMPLE, example};
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MaskedName, MobilePhone};
use crate::domain::people::person::Person;

/// 申请人。 A person.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Person", example, skip_serializing_if_is_none)]
pub struct PersonBody {
    pub id: PersonId,
    /// 手机号: masked; absent until a number is verified.
    pub phone: Option<String>,
    /// 姓名: masked; absent until it is verified.
    pub name: Option<String>,
    /// 公民身份号码: masked, without the date of birth; absent until it is verified.
    pub resident_id: Option<String>,
    /// 已实名: true if a register confirmed that the name and the resident ID belong together.
    pub verified: bool,
    /// The language of messages to the person.
    pub language: Language,
}

impl From<&Person> for PersonBody {
    fn from(person: &Person) -> Self {
        let identity = person.identity.as_ref();
        Self {
            id: person.id,
            phone: person.phone.as_ref().map(MobilePhone::masked),
            name: identity.map(|identity| MaskedName(identity.name.expose()).to_string()),
            resident_id: identity.map(|identity| identity.resident_id.masked()),
            verified: person.is_verified(),
            language: person.language,
        }
    }
}

example!(PersonBody {
    id: PersonId::from_uuid(EXAMPLE),
    phone: Some("138****8000".to_owned()),
    name: Some("王*明".to_owned()),
    resident_id: Some("3204**********0024".to_owned()),
    verified: true,
    language: Language::Chinese,
});
