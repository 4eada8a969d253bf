//! Answers as somebody sees them who need not know everything: numbers that name a person are masked.

use serde_json::Value;

use super::{Form, Kind, Section};
use crate::domain::identity::{masked_phone, masked_resident_id};

impl Form {
    /// The answers with every resident ID and phone number masked.
    #[must_use]
    pub fn masked(&self, answers: &Value) -> Value {
        let mut shown = answers.clone();
        for section in &self.sections {
            match shown.get_mut(&section.key) {
                Some(Value::Array(repeated)) => repeated.iter_mut().for_each(|once| section.mask(once)),
                Some(once) => section.mask(once),
                None => {}
            }
        }
        shown
    }
}

impl Section {
    fn mask(&self, answers: &mut Value) {
        for field in &self.fields {
            let mask = match field.kind {
                Kind::ResidentId => masked_resident_id,
                Kind::Phone => masked_phone,
                _ => continue,
            };
            if let Some(Value::String(text)) = answers.get_mut(&field.name) {
                *text = mask(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_masked_wherever_the_form_asks_for_them() {
        let form: Form = serde_json::from_value(json!({"sections": [
            {"key": "applicant", "title": {"zh": "申请人", "en": "Applicant"}, "fields": [
                {"name": "name", "kind": "text", "max": 50, "label": {"zh": "姓名", "en": "Name"}},
                {"name": "resident_id", "kind": "resident_id", "label": {"zh": "身份证号", "en": "Resident ID"}},
            ]},
            {"key": "family", "title": {"zh": "家庭成员", "en": "Family"}, "repeat": {"min": 0, "max": 9}, "fields": [
                {"name": "phone", "kind": "phone", "label": {"zh": "手机", "en": "Phone"}},
            ]},
        ]}))
        .unwrap();
        let answers = json!({
            "applicant": {"name": "王小明", "resident_id": "320413201603070016"},
            "family": [{"phone": "13800138000"}, {}],
        });
        let shown = json!({
            "applicant": {"name": "王小明", "resident_id": "3204**********0016"},
            "family": [{"phone": "138****8000"}, {}],
        });
        assert_eq!(form.masked(&answers), shown);
        assert_eq!(form.masked(&Value::Null), Value::Null);
    }
}
