//! Forms (表单): the questions of an application, described once. Clients draw a form from the description, `check`
//! checks an answer against it, and `schema` converts it to JSON Schema 2020-12 for other programs.
//!
//! A form is a list of sections. Its answer is an object with one member per section: an object of the section's
//! fields, or an array of such objects if the section repeats. A field may depend on another field of the same section,
//! and on nothing else, so that each section can be drawn, checked and described separately.

mod check;
mod example;
mod mask;
mod schema;

use serde::{Deserialize, Serialize};

use crate::domain::kernel::text::Bilingual;

pub use check::{Context, Fault, MOST_FAULTS, RegionLevel};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The sections, in the order in which the applicant fills them in.
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The name of the section's member in the JSON answer.
    pub key: String,
    pub title: Bilingual,
    /// The minimum and maximum number of times that the applicant answers the section; exactly once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    pub fields: Vec<Field>,
}

/// How many times a section may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    pub min: usize,
    pub max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name of the field's member in the section's JSON object.
    pub name: String,
    pub label: Bilingual,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Bilingual>,
    /// True if the field must be answered whenever it is shown. The default is true.
    #[serde(default = "yes")]
    pub required: bool,
    /// The condition under which the field is shown. Without a condition it is always shown. A hidden field must not be
    /// answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// The known fact about the person that clients offer as the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Prefill>,
    /// How the answer is masked for readers who need not see all of it. It is set for texts that identify a person or
    /// have financial value. Resident IDs and phone numbers are masked even without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    #[serde(flatten)]
    pub kind: Kind,
}

/// Shows a field only while another field of the section has one of these values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The name of the other field. It must be a choice or a boolean that is always shown.
    pub field: String,
    /// The values of the other field with which this field is shown, written as in the JSON answer.
    pub is: Vec<serde_json::Value>,
}

/// A known fact about a person that they need not type again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// The name that the real-name check (实名认证) verified.
    Name,
    /// The resident ID that the real-name check verified.
    ResidentId,
    /// The phone number used to sign in.
    Phone,
}

/// The part of a masked text that stays visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// Four characters at each end: for certificates, many of which contain a resident ID.
    Ends,
    /// The last four characters: for accounts and cards.
    Tail,
}

/// The kind of answer that a field takes. In JSON all are strings except `multi_choice` (an array of strings), `money`
/// and `integer` (integers) and `boolean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Text {
        /// The maximum number of characters.
        max: usize,
        /// A regular expression that the whole text must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// An example text. Required if there is a pattern.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
    },
    /// Text of several lines, at most `max` characters in total.
    LongText {
        max: usize,
    },
    /// Exactly one of the listed options.
    Choice {
        options: Vec<Choice>,
    },
    /// Any number of the listed options; at least one if the field is required.
    MultiChoice {
        options: Vec<Choice>,
    },
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
        /// True if a landline number with its area code is also accepted: `0519-82821234`.
        #[serde(default)]
        landline: bool,
    },
    /// The code of an administrative division (GB/T 2260): nine digits for a town, six for every higher level.
    Region {
        level: RegionLevel,
    },
    /// An amount in fen (1/100 yuan).
    Money {
        min: i64,
        max: i64,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Boolean {
        /// True if only `true` is accepted: a declaration that the applicant must make.
        #[serde(default)]
        must: bool,
    },
    /// The id of an uploaded file.
    File,
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value in the JSON answer.
    pub value: String,
    #[serde(flatten)]
    pub label: Bilingual,
}

const fn yes() -> bool {
    true
}

/// The days that a date field accepts.
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
    /// True if the field is shown, given the answers to the section's other fields.
    fn shows(field: &Field, answers: &serde_json::Map<String, serde_json::Value>) -> bool {
        let Some(when) = &field.when else { return true };
        answers.get(&when.field).is_some_and(|value| when.is.contains(value))
    }
}
