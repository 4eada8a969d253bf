//! Makes valid, synthetic answers to a form. Tests use them to prove that every published form can be answered.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::{DateSpan, Field, Form, Kind, RegionLevel, Section};

impl Form {
    /// Returns answers that are valid on the given day: some fields accept only past or only future days.
    pub fn example(&self, today: NaiveDate) -> Value {
        let answer = |section: &Section| {
            let row = section.example(today);
            match section.repeat {
                None => row,
                Some(repeat) => vec![row; repeat.min.max(1)].into(),
            }
        };
        self.sections.iter().map(|section| (section.key.clone(), answer(section))).collect::<Map<_, _>>().into()
    }
}

impl Section {
    /// Answers every field that is shown, given the answers to the fields before it.
    fn example(&self, today: NaiveDate) -> Value {
        let mut answers = Map::new();
        for field in &self.fields {
            if Self::shows(field, &answers) {
                answers.insert(field.name.clone(), field.example(today));
            }
        }
        answers.into()
    }
}

impl Field {
    fn example(&self, today: NaiveDate) -> Value {
        match &self.kind {
            Kind::Text { example: Some(example), .. } => json!(example),
            Kind::Text { max, .. } | Kind::LongText { max } => {
                json!(self.label.zh.chars().take(*max).collect::<String>())
            }
            Kind::Choice { options } => options.first().map(|option| option.value.clone()).into(),
            Kind::MultiChoice { options } => options.first().map(|option| option.value.clone()).into_iter().collect(),
            Kind::Date { span: DateSpan::Future } => json!(today.checked_add_days(Days::new(1)).unwrap_or(today)),
            Kind::Date { .. } => json!(today.checked_sub_days(Days::new(1)).unwrap_or(today)),
            Kind::ResidentId => json!("11010519491231002X"),
            Kind::CreditCode => json!("91350100M000100Y43"),
            Kind::Phone { landline: false } => json!("13800138000"),
            Kind::Phone { landline: true } => json!("0519-82821234"),
            Kind::Region { level: RegionLevel::Province } => json!("320000"),
            Kind::Region { level: RegionLevel::City } => json!("320400"),
            Kind::Region { level: RegionLevel::County } => json!("320413"),
            Kind::Region { level: RegionLevel::Town } => json!("320413100"),
            Kind::Money { min, .. } | Kind::Integer { min, .. } => json!(min),
            Kind::Boolean { .. } => json!(true),
            Kind::File => json!("upl_01JD4K9XW2T7M5QH8RZB3C6DEF"),
        }
    }
}
