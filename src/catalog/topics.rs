//! Topics (主题分类): what people and companies look for items under.

use serde::{Deserialize, Serialize};

use crate::domain::item::Subject;
use crate::domain::kernel::text::Bilingual;

/// A topic. Those of people (面向自然人) and those of companies (面向法人) are two lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What agencies and items call it.
    pub code: String,
    /// Whose: natural or legal persons'.
    pub subject: Subject,
    pub name: Bilingual,
}
