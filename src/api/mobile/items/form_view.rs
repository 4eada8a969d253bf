//! The form of an application, as clients need it to draw input fields. All kinds of fields share one type. Members
//! that do not apply to a kind are absent.

use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde_json::Value;

use crate::api::shared::bilingual::Bilingual;
use crate::domain::form::{self as model, Kind};

/// 表单。 The form of an application. A draft's `form` has one member per section.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "Form")]
pub struct FormView {
    /// The sections, in the order in which they are filled in.
    pub sections: Vec<SectionView>,
}

/// 表单的一部分。 A section of a form.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormSection", skip_serializing_if_is_none)]
pub struct SectionView {
    /// The name of the section's member in a draft's `form`.
    pub key: String,
    pub title: Bilingual,
    /// The allowed number of entries; present if the section is a list of entries.
    pub repeat: Option<RepeatView>,
    /// The fields, in the order in which they are filled in.
    pub fields: Vec<FieldView>,
}

/// 重复次数。 The allowed number of entries of a list.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FormRepeat")]
pub struct RepeatView {
    pub min: usize,
    pub max: usize,
}

/// 字段类型。 The kind of value of a field: `multi_choice` is a list, `date` is `2026-01-31`, `resident_id` is 公民身份号码,
/// `credit_code` is 统一社会信用代码, `phone` is an 11-digit mobile number, `region` is the code of a division of the given
/// `level`, `money` is an integer in fen (1/100 yuan), `file` is the id of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "FormFieldKind", rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    LongText,
    Choice,
    MultiChoice,
    Date,
    ResidentId,
    CreditCode,
    Phone,
    Region,
    Money,
    Integer,
    Boolean,
    File,
}

/// 字段。 A field of the form.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormField", skip_serializing_if_is_none)]
pub struct FieldView {
    /// The name of the field's member in the section.
    pub name: String,
    pub kind: FieldKind,
    pub label: Bilingual,
    /// A short help text.
    pub hint: Option<Bilingual>,
    /// True if the field must be filled in while it is shown.
    pub required: bool,
    /// The condition under which the field is shown; absent if it is always shown. A field that is not shown must be
    /// left out of the draft.
    pub when: Option<WhenView>,
    /// The fact about the person with which clients prefill the field: `name`, `resident_id` or `phone`.
    pub prefill: Option<String>,
    /// The values to choose from.
    pub options: Option<Vec<OptionView>>,
    /// The minimum of a number.
    pub min: Option<i64>,
    /// The maximum of a number. For a text, the maximum number of characters.
    pub max: Option<i64>,
    /// A regular expression that the whole text must match.
    pub pattern: Option<String>,
    /// An example of a valid text.
    pub example: Option<String>,
    /// For a date: the allowed days, `past` (today included) or `future` (today included).
    pub span: Option<String>,
    /// For a region: its level, `province`, `city`, `county` or `town`.
    pub level: Option<String>,
    /// For a phone: true if a landline with its area code is accepted too.
    pub landline: Option<bool>,
    /// For a boolean: true if only the value `true` is accepted.
    pub must_be_true: Option<bool>,
}

/// 显示条件。 Shows a field only if another field of the section has one of the given values.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormCondition")]
pub struct WhenView {
    /// The name of the other field.
    pub field: String,
    pub is: Vec<Any<Value>>,
}

/// 选项。 A value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FormOption")]
pub struct OptionView {
    /// The value to send.
    pub value: String,
    /// The text for people.
    pub label: Bilingual,
}

impl From<&model::Form> for FormView {
    fn from(form: &model::Form) -> Self {
        Self { sections: form.sections.iter().map(Into::into).collect() }
    }
}

impl From<&model::Section> for SectionView {
    fn from(section: &model::Section) -> Self {
        Self {
            key: section.key.clone(),
            title: (&section.title).into(),
            repeat: section.repeat.map(|repeat| RepeatView { min: repeat.min, max: repeat.max }),
            fields: section.fields.iter().map(Into::into).collect(),
        }
    }
}

impl From<&model::Field> for FieldView {
    fn from(field: &model::Field) -> Self {
        let plain = Self {
            name: field.name.clone(),
            kind: FieldKind::Text,
            label: (&field.label).into(),
            hint: field.hint.as_ref().map(Into::into),
            required: field.required,
            when: field.when.as_ref().map(Into::into),
            prefill: field.prefill.map(word),
            options: None,
            min: None,
            max: None,
            pattern: None,
            example: None,
            span: None,
            level: None,
            landline: None,
            must_be_true: None,
        };
        plain.of_kind(&field.kind)
    }
}

impl FieldView {
    fn of_kind(self, kind: &Kind) -> Self {
        match kind {
            Kind::Text { max, pattern, example } => {
                Self { max: characters(*max), pattern: pattern.clone(), example: example.clone(), ..self }
            }
            Kind::LongText { max } => Self { kind: FieldKind::LongText, max: characters(*max), ..self },
            Kind::Choice { options } => Self { kind: FieldKind::Choice, options: Some(choices(options)), ..self },
            Kind::MultiChoice { options } => {
                Self { kind: FieldKind::MultiChoice, options: Some(choices(options)), ..self }
            }
            Kind::Date { span } => Self { kind: FieldKind::Date, span: limit(*span), ..self },
            Kind::ResidentId => Self { kind: FieldKind::ResidentId, ..self },
            Kind::CreditCode => Self { kind: FieldKind::CreditCode, ..self },
            Kind::Phone { landline } => Self { kind: FieldKind::Phone, landline: landline.then_some(true), ..self },
            Kind::Region { level } => Self { kind: FieldKind::Region, level: Some(word(*level)), ..self },
            Kind::Money { min, max } => Self { kind: FieldKind::Money, min: Some(*min), max: Some(*max), ..self },
            Kind::Integer { min, max } => Self { kind: FieldKind::Integer, min: Some(*min), max: Some(*max), ..self },
            Kind::Boolean { must } => Self { kind: FieldKind::Boolean, must_be_true: must.then_some(true), ..self },
            Kind::File => Self { kind: FieldKind::File, ..self },
        }
    }
}

impl From<&model::When> for WhenView {
    fn from(when: &model::When) -> Self {
        Self { field: when.field.clone(), is: when.is.iter().cloned().map(Any).collect() }
    }
}

fn choices(options: &[model::Choice]) -> Vec<OptionView> {
    options.iter().map(|it| OptionView { value: it.value.clone(), label: (&it.label).into() }).collect()
}

fn characters(max: usize) -> Option<i64> {
    i64::try_from(max).ok()
}

fn limit(span: model::DateSpan) -> Option<String> {
    (span != model::DateSpan::Any).then(|| word(span))
}

/// Returns the word by which the catalogue's files name an enum variant.
fn word<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
