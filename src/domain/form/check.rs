//! Checks the applicant's answers against the form and reports every fault at once, each with a JSON pointer, a code
//! and a message.

use chrono::NaiveDate;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Choice, DateSpan, Field, Form, Kind, Repeat, Section};
use crate::domain::delivery::landline::is_landline;
use crate::domain::kernel::ids::UploadId;
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::identity::{CreditCode, MobilePhone, ResidentId, ResidentIdFault};

/// The level of an administrative division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionLevel {
    /// 省级, two digits and four zeros.
    Province,
    /// 地级, four digits and two zeros.
    City,
    /// 县级, six digits.
    County,
    /// 乡级, nine digits.
    Town,
}

/// What [`Form::check`] needs to know in addition to the form.
pub struct Context<'a> {
    /// Today in Beijing.
    pub today: NaiveDate,
    /// Returns true if this code names an administrative division of this level.
    pub knows_region: &'a dyn Fn(&str, RegionLevel) -> bool,
}

/// One fault in the applicant's answers to a form, or in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer (RFC 6901) to the faulty value in the answers or in the draft.
    pub pointer: String,
    /// The kind of fault, for programs. Most codes also occur for faults in other request bodies. Fields of forms have
    /// their own rules, which add codes (`resident_id`, `phone`, `not_asked`, …). A code never changes.
    pub code: &'static str,
    /// The explanation for people.
    pub message: Bilingual,
}

/// The maximum number of faults that are reported for one form. Even a small request can contain very many, and people
/// do not read more.
pub const MOST_FAULTS: usize = 200;

impl Form {
    /// Checks the applicant's answers to this form. Returns the faults in the order of the form, at most
    /// [`MOST_FAULTS`].
    pub fn check(&self, answer: &Value, context: &Context<'_>) -> Result<(), Vec<Fault>> {
        let mut report = Report { context, faults: Vec::new() };
        report.form(self, answer);
        if report.faults.is_empty() { Ok(()) } else { Err(report.faults) }
    }
}

/// Why a value was refused: a code and a message.
type Refusal = (&'static str, Bilingual);

fn refusal(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Refusal {
    (code, Bilingual::new(zh, en))
}

fn refuse(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Result<(), Refusal> {
    Err(refusal(code, zh, en))
}

struct Report<'a> {
    context: &'a Context<'a>,
    faults: Vec<Fault>,
}

impl Report<'_> {
    fn add(&mut self, pointer: String, (code, message): Refusal) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { pointer, code, message });
        }
    }

    fn form(&mut self, form: &Form, answer: &Value) {
        let Some(answers) = answer.as_object() else {
            return self.add(String::new(), wrong_type("一个对象", "an object"));
        };
        for section in &form.sections {
            let pointer = format!("/{}", section.key);
            match (answers.get(&section.key), section.repeat) {
                (None, _) => self.add(pointer, missing(&section.title)),
                (Some(value), None) => self.section(section, value, &pointer),
                (Some(value), Some(_)) => self.rows(section, value, &pointer),
            }
        }
        self.strangers(answers, "", |name| form.sections.iter().any(|section| section.key == name));
    }

    fn rows(&mut self, section: &Section, value: &Value, pointer: &str) {
        let (Some(rows), Some(repeat)) = (value.as_array(), section.repeat) else {
            return self.add(pointer.to_owned(), wrong_type("一个列表", "a list"));
        };
        let Repeat { min, max } = repeat;
        if rows.len() < min {
            let few = refusal("too_short", format!("至少填写{min}项"), format!("needs at least {min} entries"));
            self.add(pointer.to_owned(), few);
        }
        if rows.len() > max {
            let many = refusal("too_long", format!("最多填写{max}项"), format!("takes at most {max} entries"));
            return self.add(pointer.to_owned(), many);
        }
        for (at, row) in rows.iter().enumerate() {
            self.section(section, row, &format!("{pointer}/{at}"));
        }
    }

    fn section(&mut self, section: &Section, value: &Value, pointer: &str) {
        let Some(answers) = value.as_object() else {
            return self.add(pointer.to_owned(), wrong_type("一个对象", "an object"));
        };
        for field in &section.fields {
            let here = format!("{pointer}/{}", field.name);
            match answers.get(&field.name) {
                Some(_) if !Section::shows(field, answers) => self.add(here, not_asked(&field.label)),
                Some(value) => self.value(field, value, here),
                None if field.required && Section::shows(field, answers) => self.add(here, missing(&field.label)),
                None => {}
            }
        }
        self.strangers(answers, pointer, |name| section.fields.iter().any(|field| field.name == name));
    }

    fn value(&mut self, field: &Field, value: &Value, pointer: String) {
        if let (Kind::MultiChoice { options }, Some(chosen)) = (&field.kind, value.as_array()) {
            return self.some_of(chosen, options, field.required, &pointer);
        }
        if let Err(refusal) = accepts(field, value, self.context) {
            self.add(pointer, refusal);
        }
    }

    fn some_of(&mut self, chosen: &[Value], options: &[Choice], required: bool, pointer: &str) {
        if required && chosen.is_empty() {
            self.add(pointer.to_owned(), refusal("too_short", "至少选择一项", "needs at least one choice"));
        }
        for (at, choice) in chosen.iter().enumerate() {
            let known = choice.as_str().map_or_else(|| Err(wrong_type("文字", "text")), |text| one_of(text, options));
            let twice = || refuse("repeated", "同一项选择了两次", "repeats a choice");
            let refused = known.and_then(|()| if chosen[..at].contains(choice) { twice() } else { Ok(()) });
            if let Err(refusal) = refused {
                self.add(format!("{pointer}/{at}"), refusal);
            }
        }
    }

    fn strangers(&mut self, answers: &Map<String, Value>, pointer: &str, known: impl Fn(&str) -> bool) {
        for name in answers.keys().filter(|name| !known(name)) {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let unknown = refusal("unknown", "表单中没有这一项", "the form has no such field");
            self.add(format!("{pointer}/{escaped}"), unknown);
        }
    }
}

fn missing(label: &Bilingual) -> Refusal {
    refusal("required", format!("请填写{}", label.zh), format!("{} is required", label.en))
}

fn not_asked(label: &Bilingual) -> Refusal {
    let en = format!("{} is not asked for in this situation", label.en);
    refusal("not_asked", format!("当前情形无需填写{}", label.zh), en)
}

fn wrong_type(zh: &str, en: &str) -> Refusal {
    refusal("wrong_type", format!("应为{zh}"), format!("must be {en}"))
}

/// Checks one value against its field. The list of a multiple choice does not get here: `some_of` checks its entries.
fn accepts(field: &Field, value: &Value, context: &Context<'_>) -> Result<(), Refusal> {
    match &field.kind {
        Kind::Integer { min, max } => number(value, *min, *max, ""),
        Kind::Money { min, max } => number(value, *min, *max, "分"),
        Kind::MultiChoice { .. } => Err(wrong_type("一个列表", "a list")),
        Kind::Boolean { must } => match value.as_bool() {
            None => Err(wrong_type("是或否", "true or false")),
            Some(false) if *must => refuse("must_be_true", "必须同意", "must be agreed to"),
            Some(_) => Ok(()),
        },
        kind => match value.as_str() {
            Some(text) => accepts_text(kind, text, context),
            None => Err(wrong_type("文字", "text")),
        },
    }
}

fn accepts_text(kind: &Kind, text: &str, context: &Context<'_>) -> Result<(), Refusal> {
    match kind {
        Kind::Text { max, pattern, .. } => written(text, *max).and_then(|()| fits(text, pattern.as_deref())),
        Kind::LongText { max } => written(text, *max),
        Kind::Choice { options } => one_of(text, options),
        Kind::Date { span } => day(text, *span, context.today),
        Kind::ResidentId => resident_id(text, context.today),
        Kind::CreditCode if CreditCode::parse(text).is_err() => {
            refuse("credit_code", "统一社会信用代码不正确", "is not a valid unified social credit code")
        }
        Kind::Phone { landline } => phone(text, *landline),
        Kind::Region { level } if !(context.knows_region)(text, *level) => {
            refuse("region", "没有这个行政区划代码", "is not a known division code")
        }
        Kind::File if text.parse::<UploadId>().is_err() => {
            refuse("upload", "应为已上传文件的编号", "must be the id of an uploaded file")
        }
        _ => Ok(()),
    }
}

fn written(text: &str, max: usize) -> Result<(), Refusal> {
    if text.chars().all(is_blank) {
        return refuse("blank", "不能为空白", "must not be blank");
    }
    if text.chars().count() > max {
        return refuse("too_long", format!("最多{max}个字"), format!("takes at most {max} characters"));
    }
    Ok(())
}

/// True for white space by the definition of Unicode or of JavaScript, because some clients check the patterns of the
/// form's JSON Schema in JavaScript.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{feff}'
}

fn fits(text: &str, pattern: Option<&str>) -> Result<(), Refusal> {
    // The catalogue's own check ensures that every pattern compiles.
    let fits = pattern.is_none_or(|pattern| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)));
    if fits { Ok(()) } else { refuse("wrong_format", "格式不正确", "does not have the right format") }
}

fn one_of(text: &str, options: &[Choice]) -> Result<(), Refusal> {
    if options.iter().any(|option| option.value == text) {
        return Ok(());
    }
    refuse("not_allowed", "不在可选范围内", "is not one of the choices")
}

fn number(value: &Value, min: i64, max: i64, unit: &str) -> Result<(), Refusal> {
    match whole(value) {
        None => Err(wrong_type("整数", "a whole number")),
        Some(n) if n < min => refuse("too_small", format!("不能小于{min}{unit}"), format!("must be at least {min}")),
        Some(n) if n > max => refuse("too_large", format!("不能大于{max}{unit}"), format!("must be at most {max}")),
        Some(_) => Ok(()),
    }
}

/// Returns the value as a whole number. `1.0` counts as whole, as in JSON Schema.
fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: an `f64` represents every whole number up to it exactly.
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and far below 2^63")]
    value.as_i64().or_else(|| float().map(|number| number as i64))
}

fn day(text: &str, span: DateSpan, today: NaiveDate) -> Result<(), Refusal> {
    let Some(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text) else {
        return refuse("wrong_format", "应为日期，如2026-01-31", "must be a date such as 2026-01-31");
    };
    match span {
        DateSpan::Past if day > today => refuse("future", "不能晚于今天", "must not be later than today"),
        DateSpan::Future if day < today => refuse("past", "不能早于今天", "must not be earlier than today"),
        _ => Ok(()),
    }
}

fn phone(text: &str, landline: bool) -> Result<(), Refusal> {
    let is_mobile = MobilePhone::parse(text).is_ok_and(|phone| phone.expose() == text);
    match landline {
        _ if is_mobile => Ok(()),
        true if is_landline(text) => Ok(()),
        true => refuse(
            "phone",
            "应为11位手机号码，或者带区号的固定电话，如0519-82821234",
            "must be an 11-digit mobile number, or a landline with its area code such as 0519-82821234",
        ),
        false => refuse("phone", "应为11位手机号码", "must be an 11-digit mobile number"),
    }
}

fn resident_id(text: &str, today: NaiveDate) -> Result<(), Refusal> {
    let (zh, en) = match ResidentId::parse(text, today) {
        Ok(_) => return Ok(()),
        Err(ResidentIdFault::Form) => {
            ("应为18位公民身份号码，末位字母为大写X", "must be 18 characters; a final letter must be a capital X")
        }
        Err(ResidentIdFault::FirstGeneration) => ("15位号码已停用", "15-digit numbers are no longer valid"),
        Err(ResidentIdFault::BirthDate) => ("出生日期不正确", "contains no valid date of birth"),
        Err(ResidentIdFault::CheckDigit) => {
            ("校验码不正确，请核对", "has a wrong check digit; compare it with the card")
        }
    };
    refuse("resident_id", zh, en)
}
