//! Fills in any form from its description: prefilled fields get the applicant's data, and other fields get valid,
//! made-up answers.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

/// An applicant's own data.
#[derive(Debug, Clone, Copy)]
pub struct Applicant {
    pub name: &'static str,
    /// The resident ID (公民身份号码).
    pub resident_id: &'static str,
    pub phone: &'static str,
    /// Street, building, room.
    pub home: &'static str,
}

/// Returns answers to a form. `form` describes the form, as the member `form` of the response to `GET /v1/items/{code}`
/// does. `upload` is the file id for file fields; if it is empty, file fields are left out.
pub fn fill(form: &Value, applicant: &Applicant, upload: &str, today: NaiveDate) -> Value {
    let filler = Filler { applicant, upload, today };
    let sections = form["sections"].as_array().into_iter().flatten();
    let answers = sections.filter_map(|section| Some((section["key"].as_str()?.to_owned(), filler.section(section))));
    answers.collect::<Map<_, _>>().into()
}

struct Filler<'a> {
    applicant: &'a Applicant,
    upload: &'a str,
    today: NaiveDate,
}

impl Filler<'_> {
    fn section(&self, section: &Value) -> Value {
        let row = self.row(section);
        match section["repeat"]["min"].as_u64() {
            None => row,
            Some(min) => Value::Array((0..min.max(1)).map(|_| row.clone()).collect()),
        }
    }

    /// Returns one set of answers to a section. A field comes after the field that it depends on, so one pass is
    /// enough.
    fn row(&self, section: &Value) -> Value {
        let mut answers = Map::new();
        for field in section["fields"].as_array().into_iter().flatten() {
            if let Some(name) = field["name"].as_str()
                && is_shown(field, &answers)
                && !(field["kind"] == "file" && self.upload.is_empty())
            {
                answers.insert(name.to_owned(), self.answer(field));
            }
        }
        answers.into()
    }

    fn answer(&self, field: &Value) -> Value {
        match field["prefill"].as_str() {
            Some("name") => return json!(self.applicant.name),
            Some("resident_id") => return json!(self.applicant.resident_id),
            Some("phone") => return json!(self.applicant.phone),
            _ => {}
        }
        match field["kind"].as_str().unwrap_or_default() {
            "choice" => field["options"][0]["value"].clone(),
            "multi_choice" => json!([field["options"][0]["value"]]),
            "date" => json!(self.day(field["span"].as_str().unwrap_or_default())),
            "resident_id" => json!(self.applicant.resident_id),
            "credit_code" => json!("91320413MA1ABCDE0N"),
            "phone" => json!(self.applicant.phone),
            "region" if field["level"] == "town" => json!("320413100"),
            "region" => json!("320413"),
            "money" | "integer" => field["min"].clone(),
            "boolean" => json!(true),
            "file" => json!(self.upload),
            _ => words(field),
        }
    }

    fn day(&self, span: &str) -> NaiveDate {
        let day = Days::new(1);
        let there = if span == "future" { self.today.checked_add_days(day) } else { self.today.checked_sub_days(day) };
        there.unwrap_or(self.today)
    }
}

/// True unless the field depends on another field that has no answer, or an answer that hides it.
fn is_shown(field: &Value, answers: &Map<String, Value>) -> bool {
    let Some(when) = field.get("when").filter(|when| !when.is_null()) else { return true };
    let given = when["field"].as_str().and_then(|other| answers.get(other));
    given.is_some_and(|given| when["is"].as_array().is_some_and(|wanted| wanted.contains(given)))
}

/// Returns the field's example. If the field has no example, returns its label, and cuts the label to the field's
/// maximum length.
fn words(field: &Value) -> Value {
    if let Some(example) = field["example"].as_str() {
        return json!(example);
    }
    let label = field["label"]["zh"].as_str().unwrap_or("无");
    let most = field["max"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    label.chars().take(most).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANG: Applicant = Applicant {
        name: "王小明",
        resident_id: "320413201603070016",
        phone: "13912340001",
        home: "清风路1号2幢301室",
    };

    #[test]
    fn a_form_is_filled_from_its_description() {
        let form = json!({"sections": [
            {"key": "applicant", "fields": [
                {"name": "name", "kind": "text", "max": 50, "prefill": "name", "label": {"zh": "姓名"}},
                {"name": "married", "kind": "boolean"},
                {"name": "spouse", "kind": "text", "max": 2, "label": {"zh": "配偶姓名"}, "when": {"field": "married", "is": [true]}},
                {"name": "why_not", "kind": "text", "max": 9, "label": {"zh": "原因"}, "when": {"field": "married", "is": [false]}},
            ]},
            {"key": "children", "repeat": {"min": 2, "max": 5}, "fields": [
                {"name": "born_on", "kind": "date", "span": "past"},
            ]},
        ]});
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        assert_eq!(
            fill(&form, &WANG, "upl_0", today),
            json!({
                "applicant": {"name": "王小明", "married": true, "spouse": "配偶"},
                "children": [{"born_on": "2026-02-28"}, {"born_on": "2026-02-28"}],
            })
        );
    }
}
