//! Forms (表单): what an application says, described once. Clients draw a form from the description, `check` judges
//! an answer by it, and `schema` tells it in JSON Schema 2020-12 to whoever reads only that.
//!
//! A form is a list of sections, and its answer an object with one member per section: an object of the section's
//! fields, or an array of such objects where the section repeats. A field may depend on another field of its own
//! section, and on nothing farther away, so that each section can be drawn, checked and described by itself.

mod check;
mod example;
mod mask;
mod schema;

use serde::{Deserialize, Serialize};

use crate::domain::kernel::text::Bilingual;

pub use check::{Context, Fault, MOST_FAULTS, RegionLevel};

/// A whole form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its parts, in the order in which they are filled in.
    pub sections: Vec<Section>,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its member's name in the answer.
    pub key: String,
    pub title: Bilingual,
    /// How often it may be answered, where that is not exactly once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// How often a section may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its member's name in the answer.
    pub name: String,
    /// What stands beside it.
    pub label: Bilingual,
    /// A word of help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Bilingual>,
    /// Whether it must be answered (while it is shown); it must where nothing is said.
    #[serde(default = "yes")]
    pub required: bool,
    /// When it is shown: always, where absent. A field that is not shown must not be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What clients fill in by themselves from what the person has told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Prefill>,
    /// How much of a text is shown to whoever need not know all of it: it is a number that names a person, or is worth
    /// something. Resident IDs and phones are masked by their kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// What kind of answer it takes.
    #[serde(flatten)]
    pub kind: Kind,
}

/// Shows a field only while another field of the section has one of some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The other field's name: a choice or a boolean that is always shown.
    pub field: String,
    /// The values, as they stand in JSON.
    pub is: Vec<serde_json::Value>,
}

/// What is known of a person and need not be typed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// The name, as the real-name step proved it.
    Name,
    /// The resident ID, as the real-name step proved it.
    ResidentId,
    /// The phone of the sign-in.
    Phone,
}

/// How much of a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// Four characters at each end: of certificates, many of which hold a resident ID.
    Ends,
    /// The last four characters: of accounts and cards.
    Tail,
}

/// What kind of answer a field takes. In JSON all are strings but `multi_choice` (an array of strings), `money` and
/// `integer` (integers) and `boolean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Text {
        /// Characters at most.
        max: usize,
        /// A regular expression that the whole text matches.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// A text that fits; needed beside a pattern.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
    },
    /// Several lines.
    LongText {
        /// Characters at most.
        max: usize,
    },
    /// One of some values.
    Choice { options: Vec<Choice> },
    /// Some of some values, at least one where the field is required.
    MultiChoice { options: Vec<Choice> },
    /// A day, `2026-11-23`.
    Date {
        #[serde(default)]
        span: DateSpan,
    },
    /// 公民身份号码
    ResidentId,
    /// 统一社会信用代码
    CreditCode,
    /// A mobile number: eleven digits.
    Phone {
        /// A landline will do as well, with its area code: `0519-82821234`.
        #[serde(default)]
        landline: bool,
    },
    /// A division of GB/T 2260: six digits for a county, nine for a town.
    Region { level: RegionLevel },
    /// An amount in fen (1/100 yuan).
    Money {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// A whole number.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// Yes or no.
    Boolean {
        /// A promise that must be given: only `true` will do.
        #[serde(default)]
        must: bool,
    },
    /// A file that was uploaded: its id.
    File,
}

/// One value of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the answer holds.
    pub value: String,
    /// What people read.
    #[serde(flatten)]
    pub label: Bilingual,
}

const fn yes() -> bool {
    true
}

/// Which days a date may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateSpan {
    #[default]
    Any,
    /// Today or earlier.
    Past,
    /// Today or later.
    Future,
}

impl Section {
    /// Whether a field of this section is shown beside these answers.
    fn shows(field: &Field, answers: &serde_json::Map<String, serde_json::Value>) -> bool {
        let Some(when) = &field.when else { return true };
        answers.get(&when.field).is_some_and(|value| when.is.contains(value))
    }
}
