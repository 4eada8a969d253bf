//! A person as the mobile API shows them: masked, even to themselves, because phones are looked at by others.

use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MaskedName, MobilePhone};
use crate::domain::people::person::Person;

/// A person.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Person", example, skip_serializing_if_is_none)]
pub struct PersonBody {
    /// Who.
    pub id: PersonId,
    /// 手机号: masked; null until one was proved.
    pub phone: Option<String>,
    /// 姓名: masked; null until it was verified.
    pub name: Option<String>,
    /// 公民身份号码: masked, without the date of birth; null until it was verified.
    pub resident_id: Option<String>,
    /// 已实名: name and resident ID were confirmed to belong together.
    pub verified: bool,
    /// The language that they are written to in.
    pub language: LanguageTag,
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
            language: person.language.into(),
        }
    }
}

impl Example for PersonBody {
    fn example() -> Self {
        Self {
            id: PersonId::from_uuid(EXAMPLE),
            phone: Some("138****8000".to_owned()),
            name: Some("王*明".to_owned()),
            resident_id: Some("3204**********0024".to_owned()),
            verified: true,
            language: LanguageTag::Chinese,
        }
    }
}

/// A language that Songda speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Language")]
pub enum LanguageTag {
    /// 简体中文
    #[oai(rename = "zh-CN")]
    Chinese,
    /// English
    #[oai(rename = "en")]
    English,
}

impl From<Language> for LanguageTag {
    fn from(language: Language) -> Self {
        match language {
            Language::Chinese => Self::Chinese,
            Language::English => Self::English,
        }
    }
}

impl From<LanguageTag> for Language {
    fn from(tag: LanguageTag) -> Self {
        match tag {
            LanguageTag::Chinese => Self::Chinese,
            LanguageTag::English => Self::English,
        }
    }
}
