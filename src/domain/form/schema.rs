//! Converts a form to JSON Schema 2020-12. Some rules have no JSON Schema keyword (a correct check digit, an existing
//! division, a day in the past). They are given in `format` and `x-*` members, which validators ignore.

use serde_json::{Map, Value, json};

use super::{Choice, Field, Form, Kind, RegionLevel, Section};
use crate::domain::delivery::landline::PATTERN as LANDLINE;
use crate::domain::kernel::text::Bilingual;

/// A pattern that requires at least one character that is not white space. U+0085 is named because it is white space in
/// Unicode, but not in JavaScript.
const WRITTEN: &str = r"[^\s\u0085]";

const MOBILE: &str = "1[3-9][0-9]{9}";

impl Form {
    /// Returns the JSON Schema of the answers to this form. `x-order` gives the order in which clients draw the fields.
    pub fn json_schema(&self) -> Value {
        let sections = self.sections.iter().enumerate();
        let properties: Map<String, Value> =
            sections.map(|(order, section)| (section.key.clone(), with_order(section.json_schema(), order))).collect();
        let required: Vec<&str> = self.sections.iter().map(|section| section.key.as_str()).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

impl Section {
    fn json_schema(&self) -> Value {
        let mut schema = match self.repeat {
            None => self.row(),
            Some(repeat) => {
                json!({"type": "array", "items": self.row(), "minItems": repeat.min, "maxItems": repeat.max})
            }
        };
        title(&mut schema, &self.title);
        schema
    }

    /// Returns the schema of one JSON object of answers to the section. A repeated section is an array of such objects.
    fn row(&self) -> Value {
        let fields = self.fields.iter().enumerate();
        let properties: Map<String, Value> =
            fields.map(|(order, field)| (field.name.clone(), with_order(field.json_schema(), order))).collect();
        let always = self.fields.iter().filter(|field| field.required && field.when.is_none());
        let required: Vec<&str> = always.map(|field| field.name.as_str()).collect();
        let conditions: Vec<Value> = self.fields.iter().filter_map(Field::condition).collect();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        if !conditions.is_empty() {
            schema["allOf"] = conditions.into();
        }
        schema
    }
}

impl Field {
    fn json_schema(&self) -> Value {
        let mut schema = self.kind.json_schema(self.required);
        title(&mut schema, &self.label);
        if let Some(hint) = &self.hint {
            schema["description"] = hint.zh.as_str().into();
            schema["x-hint"] = both(hint);
        }
        if let Some(when) = &self.when {
            schema["x-when"] = json!(when);
        }
        if let Some(prefill) = &self.prefill {
            schema["x-prefill"] = json!(prefill);
        }
        schema
    }

    /// Returns a schema that allows the field only under its condition, and requires it there if it is a required
    /// field. `None` if the field has no condition.
    fn condition(&self) -> Option<Value> {
        let when = self.when.as_ref()?;
        let asked = if self.required { json!({"required": [self.name]}) } else { json!({}) };
        Some(json!({
            "if": {"properties": {&when.field: {"enum": when.is}}, "required": [when.field]},
            "then": asked,
            "else": {"properties": {&self.name: false}},
        }))
    }
}

impl Kind {
    fn json_schema(&self, required: bool) -> Value {
        match self {
            Self::Text { max, pattern: None, .. } => {
                json!({"type": "string", "maxLength": max, "pattern": WRITTEN, "x-kind": "text"})
            }
            Self::Text { max, pattern: Some(pattern), .. } => {
                json!({"type": "string", "maxLength": max, "pattern": pattern, "x-kind": "text"})
            }
            Self::LongText { max } => {
                json!({"type": "string", "maxLength": max, "pattern": WRITTEN, "x-kind": "long_text"})
            }
            Self::Choice { options } => {
                json!({"type": "string", "enum": values(options), "x-options": labels(options), "x-kind": "choice"})
            }
            Self::MultiChoice { options } => json!({
                "type": "array",
                "items": {"type": "string", "enum": values(options)},
                "minItems": usize::from(required),
                "uniqueItems": true,
                "x-options": labels(options),
                "x-kind": "multi_choice",
            }),
            Self::Date { span } => json!({
                "type": "string",
                "format": "date",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                "x-span": span,
                "x-kind": "date",
            }),
            Self::ResidentId => coded("^[0-9]{17}[0-9X]$", "resident_id"),
            Self::CreditCode => coded("^[0-9A-HJ-NPQRTUWXY]{18}$", "credit_code"),
            Self::Phone { landline: false } => coded(&format!("^{MOBILE}$"), "phone"),
            Self::Phone { landline: true } => {
                let mut schema = coded(&format!("^({MOBILE}|{LANDLINE})$"), "phone");
                schema["x-landline"] = true.into();
                schema
            }
            Self::Region { level } => {
                let digits = if *level == RegionLevel::Town { 9 } else { 6 };
                let mut schema = coded(&format!("^[0-9]{{{digits}}}$"), "region");
                schema["x-level"] = json!(level);
                schema
            }
            Self::Money { min, max } => {
                json!({"type": "integer", "minimum": min, "maximum": max, "x-unit": "fen", "x-kind": "money"})
            }
            Self::Integer { min, max } => {
                json!({"type": "integer", "minimum": min, "maximum": max, "x-kind": "integer"})
            }
            Self::Boolean { must: false } => json!({"type": "boolean", "x-kind": "boolean"}),
            Self::Boolean { must: true } => json!({"type": "boolean", "const": true, "x-kind": "boolean"}),
            Self::File => coded("^upl_[0-7][0-9A-HJKMNP-TV-Z]{25}$", "file"),
        }
    }
}

fn coded(pattern: &str, kind: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "format": kind.replace('_', "-"), "x-kind": kind})
}

fn values(options: &[Choice]) -> Vec<&str> {
    options.iter().map(|option| option.value.as_str()).collect()
}

fn labels(options: &[Choice]) -> Vec<Value> {
    options.iter().map(|option| json!({"value": option.value, "label": both(&option.label)})).collect()
}

fn both(text: &Bilingual) -> Value {
    json!({"zh": text.zh, "en": text.en})
}

fn title(schema: &mut Value, text: &Bilingual) {
    schema["title"] = text.zh.as_str().into();
    schema["x-title"] = both(text);
}

fn with_order(mut schema: Value, order: usize) -> Value {
    schema["x-order"] = order.into();
    schema
}
