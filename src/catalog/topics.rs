//! Topics (主题分类), under which people and companies look for items.

use serde::{Deserialize, Serialize};

use crate::domain::item::Subject;
use crate::domain::kernel::text::Bilingual;

/// A topic. Topics of people (面向自然人) and topics of companies (面向法人) are two lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The code by which agencies and items name the topic.
    pub code: String,
    /// The list that the topic belongs to: topics of natural persons or of legal persons.
    pub subject: Subject,
    pub name: Bilingual,
}
