//! Masks the values that identify a person in the answers to a form, for readers who need not see them.

use serde_json::Value;

use super::{Field, Form, Kind, Mask, Section};
use crate::domain::people::identity::{masked_account, masked_phone, masked_resident_id};

impl Form {
    /// Returns a copy of the answers in which resident IDs, phone numbers and fields with a `mask` are masked.
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
            if let (Some(mask), Some(Value::String(text))) = (field.masked_by(), answers.get_mut(&field.name)) {
                *text = mask(text);
            }
        }
    }
}

impl Field {
    fn masked_by(&self) -> Option<fn(&str) -> String> {
        match (self.mask, &self.kind) {
            (Some(Mask::Ends), _) | (None, Kind::ResidentId) => Some(masked_resident_id),
            (Some(Mask::Tail), _) => Some(masked_account),
            (None, Kind::Phone { .. }) => Some(masked_phone),
            (None, _) => None,
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
                {"name": "certificate", "kind": "text", "max": 40, "mask": "ends",
                    "label": {"zh": "残疾人证号", "en": "Certificate"}},
                {"name": "account", "kind": "text", "max": 40, "mask": "tail", "label": {"zh": "账号", "en": "Account"}},
            ]},
            {"key": "family", "title": {"zh": "家庭成员", "en": "Family"}, "repeat": {"min": 0, "max": 9}, "fields": [
                {"name": "phone", "kind": "phone", "label": {"zh": "手机", "en": "Phone"}},
            ]},
        ]}))
        .unwrap();
        let answers = json!({
            "applicant": {
                "name": "王小明", "resident_id": "320413201603070016", "certificate": "32041320160307001641",
                "account": "6222020000001234",
            },
            "family": [{"phone": "13800138000"}, {}],
        });
        let shown = json!({
            "applicant": {
                "name": "王小明", "resident_id": "3204**********0016", "certificate": "3204************1641",
                "account": "************1234",
            },
            "family": [{"phone": "138****8000"}, {}],
        });
        assert_eq!(form.masked(&answers), shown);
        assert_eq!(form.masked(&Value::Null), Value::Null);
    }
}
