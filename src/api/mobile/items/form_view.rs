//! A form as clients draw it: the same members whatever the kind of a field, of which those are there that say
//! something.

use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde_json::Value;

use crate::api::shared::bilingual::Bilingual;
use crate::domain::form::{self as model, Kind};

/// 表单。 What an application says: one member per section.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "Form")]
pub struct FormView {
    /// Its parts, in the order in which they are filled in.
    pub sections: Vec<SectionView>,
}

/// 表单的一部分。 A part of a form.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormSection", skip_serializing_if_is_none)]
pub struct SectionView {
    /// Its member's name in the answer.
    pub key: String,
    /// Its heading.
    pub title: Bilingual,
    /// Where it is answered by a list: how many entries at least and at most.
    pub repeat: Option<RepeatView>,
    /// Its fields, in order.
    pub fields: Vec<FieldView>,
}

/// 重复次数。 How many entries a list takes.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FormRepeat")]
pub struct RepeatView {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// 字段类型。 What kind of answer a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "FormFieldKind", rename_all = "snake_case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// One of the options.
    Choice,
    /// Some of the options, as a list.
    MultiChoice,
    /// A day: `2026-01-31`.
    Date,
    /// 公民身份号码
    ResidentId,
    /// 统一社会信用代码
    CreditCode,
    /// An 11-digit mobile number; with `landline`, a number such as `0519-82821234` as well.
    Phone,
    /// A division code of `level`.
    Region,
    /// An amount in fen (1/100 yuan), as an integer.
    Money,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// The id of an upload.
    File,
}

/// 字段。 One question.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormField", skip_serializing_if_is_none)]
pub struct FieldView {
    /// Its member's name in the answer.
    pub name: String,
    /// What kind of answer it takes.
    pub kind: FieldKind,
    /// What stands beside it.
    pub label: Bilingual,
    /// A word of help.
    pub hint: Option<Bilingual>,
    /// Whether it must be answered while it is shown.
    pub required: bool,
    /// When it is shown: always, where absent. What is not shown must not be answered.
    pub when: Option<WhenView>,
    /// What may be filled in from what the person has told before: `name`, `resident_id` or `phone`.
    pub prefill: Option<String>,
    /// The values to choose from.
    pub options: Option<Vec<OptionView>>,
    /// The least number.
    pub min: Option<i64>,
    /// The greatest number; of a text, the most characters.
    pub max: Option<i64>,
    /// A regular expression that the whole text matches.
    pub pattern: Option<String>,
    /// A text that fits.
    pub example: Option<String>,
    /// Which days: `past` (today included) or `future` (today included).
    pub span: Option<String>,
    /// How fine a region: `province`, `city`, `county` or `town`.
    pub level: Option<String>,
    /// Of a phone: a landline with its area code will do as well.
    pub landline: Option<bool>,
    /// Only `true` will do.
    pub must_be_true: Option<bool>,
}

/// 显示条件。 Shows a field only beside some values of another field of the section.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "FormCondition")]
pub struct WhenView {
    /// The other field's name.
    pub field: String,
    /// The values.
    pub is: Vec<Any<Value>>,
}

/// 选项。 One value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FormOption")]
pub struct OptionView {
    /// What the answer holds.
    pub value: String,
    /// What people read.
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

/// The name that an enum of the form has in JSON.
fn word<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
