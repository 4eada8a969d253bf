//! A text in Chinese and English. Responses contain both languages, whatever `Accept-Language` says.

use poem_openapi::Object;

use crate::domain::kernel::text;

/// 中英文对照。 A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Bilingual {
    /// 中文
    pub zh: String,
    /// English
    pub en: String,
}

impl From<&text::Bilingual> for Bilingual {
    fn from(text: &text::Bilingual) -> Self {
        Self { zh: text.zh.clone(), en: text.en.clone() }
    }
}
