//! Validates the JSON of a request body against the schema of its type in the OpenAPI document. Lists the faults, each
//! with its JSON pointer. Supports only the features of JSON Schema that our types use. A member that the schema does
//! not define is a fault.
//!
//! The crate jsonschema cannot be used here. It needs schemas in JSON, but ours are Rust values of poem-openapi. Its
//! faults have neither our codes nor messages in Chinese and English.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use regex::Regex;
use serde_json::{Map, Value};

use crate::api::edge::answers::problem::FieldError;

/// The number of faults at which validation ends, because even a small body can have very many faults.
pub const MOST_FAULTS: usize = 100;

/// Lists the faults of a value that should be a `T`, at most [`MOST_FAULTS`].
pub fn faults<T: Type + 'static>(value: &Value) -> Vec<FieldError> {
    let shape = Shape::of::<T>();
    let mut walk = Walk { shape: &shape, faults: vec![] };
    walk.check(&shape.root, value, "");
    walk.faults
}

/// The schema of a type, with compiled patterns.
struct Shape {
    root: MetaSchemaRef,
    schemas: BTreeMap<String, MetaSchema>,
    patterns: HashMap<String, Regex>,
}

/// The schemas that were used so far. They never change, and are expensive to build.
static SHAPES: LazyLock<RwLock<HashMap<TypeId, Arc<Shape>>>> = LazyLock::new(RwLock::default);

impl Shape {
    fn of<T: Type + 'static>() -> Arc<Self> {
        let known = SHAPES.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()).cloned();
        known.unwrap_or_else(|| {
            let shape = Arc::new(Self::read::<T>());
            SHAPES.write().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), Arc::clone(&shape));
            shape
        })
    }

    fn read<T: Type>() -> Self {
        let mut registry = Registry::new();
        T::register(&mut registry);
        let mut shape = Self { root: T::schema_ref(), schemas: registry.schemas, patterns: HashMap::new() };
        let mut patterns = Vec::new();
        patterns_of(&shape.root, &mut patterns);
        shape.schemas.values().for_each(|schema| patterns_within(schema, &mut patterns));
        let compiled = patterns.into_iter().filter_map(|pattern| Some((pattern.clone(), Regex::new(pattern).ok()?)));
        shape.patterns = compiled.collect();
        shape
    }
}

fn patterns_of<'s>(schema: &'s MetaSchemaRef, found: &mut Vec<&'s String>) {
    if let MetaSchemaRef::Inline(schema) = schema {
        patterns_within(schema, found);
    }
}

fn patterns_within<'s>(schema: &'s MetaSchema, found: &mut Vec<&'s String>) {
    found.extend(&schema.pattern);
    let parts = [&schema.all_of, &schema.any_of, &schema.one_of].into_iter().flatten();
    let inner = parts.chain(schema.properties.iter().map(|(_, property)| property));
    let inner = inner.chain(schema.items.as_deref()).chain(schema.additional_properties.as_deref());
    inner.for_each(|schema| patterns_of(schema, found));
}

struct Walk<'a> {
    shape: &'a Shape,
    faults: Vec<FieldError>,
}

impl Walk<'_> {
    fn fault(&mut self, at: &str, code: &'static str, zh: impl Into<String>, en: impl Into<String>) {
        if !self.is_full() {
            self.faults.push(FieldError::new(at, code, zh, en));
        }
    }

    const fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    fn check(&mut self, schema: &MetaSchemaRef, value: &Value, at: &str) {
        if self.is_full() {
            return;
        }
        match schema {
            MetaSchemaRef::Inline(schema) => self.check_inline(schema, value, at),
            MetaSchemaRef::Reference(name) => {
                if let Some(schema) = self.shape.schemas.get(name) {
                    self.check_inline(schema, value, at);
                }
            }
        }
    }

    fn check_inline(&mut self, schema: &MetaSchema, value: &Value, at: &str) {
        if value.is_null() && schema.nullable {
            return;
        }
        for part in &schema.all_of {
            self.check_part(part, value, at);
        }
        self.check_choice(schema, value, at);
        if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
            let allowed = schema.enum_items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            return self.fault(
                at,
                "not_allowed",
                format!("只能是 {allowed} 之一"),
                format!("It must be one of {allowed}"),
            );
        }
        match (schema.ty, value) {
            ("object", Value::Object(members)) => self.check_object(schema, members, at),
            ("array", Value::Array(items)) => self.check_array(schema, items, at),
            ("string", Value::String(text)) => self.check_text(schema, text, at),
            ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {
                self.check_number(schema, number.as_f64(), at);
            }
            ("number", Value::Number(number)) => self.check_number(schema, number.as_f64(), at),
            ("boolean", Value::Bool(_)) | ("", _) => {}
            (wanted, _) => {
                let (zh, en) = kind(wanted);
                self.fault(at, "wrong_type", format!("应为{zh}"), format!("It must be {en}"));
            }
        }
    }

    /// Validates against one part of a composed schema (`allOf`). A member that is unknown to this part is no fault,
    /// because another part can define it.
    fn check_part(&mut self, part: &MetaSchemaRef, value: &Value, at: &str) {
        let mut walk = Walk { shape: self.shape, faults: vec![] };
        walk.check(part, value, at);
        let is_own = |fault: &FieldError| fault.pointer.rsplit_once('/').is_some_and(|(parent, _)| parent == at);
        self.faults.extend(walk.faults.into_iter().filter(|fault| fault.code != "unknown" || !is_own(fault)));
    }

    /// Validates against a union (`oneOf` or `anyOf`). The discriminator selects the variant. Without a discriminator,
    /// the value must match at least one variant.
    fn check_choice(&mut self, schema: &MetaSchema, value: &Value, at: &str) {
        let variants = if schema.one_of.is_empty() { &schema.any_of } else { &schema.one_of };
        if variants.is_empty() {
            return;
        }
        let Some(discriminator) = &schema.discriminator else {
            let fits = |variant| {
                let mut walk = Walk { shape: self.shape, faults: vec![] };
                walk.check(variant, value, at);
                walk.faults.is_empty()
            };
            if !variants.iter().any(fits) {
                self.fault(at, "invalid", "不符合任何一种允许的形式", "It has none of the allowed forms");
            }
            return;
        };
        let name = discriminator.property_name;
        let mapping = &discriminator.mapping;
        let tag = value.get(name).and_then(Value::as_str);
        match mapping.iter().find(|(word, _)| Some(word.as_str()) == tag) {
            Some((_, target)) => {
                let target = target.rsplit('/').next().unwrap_or(target).to_owned();
                self.check(&MetaSchemaRef::Reference(target), value, at);
            }
            None => {
                let words = mapping.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ");
                let at = below(at, name);
                self.fault(&at, "not_allowed", format!("只能是 {words} 之一"), format!("It must be one of {words}"));
            }
        }
    }

    fn check_object(&mut self, schema: &MetaSchema, members: &Map<String, Value>, at: &str) {
        for name in &schema.required {
            if !members.contains_key(*name) {
                self.fault(&below(at, name), "required", "必填", "This is required");
            }
        }
        for (name, value) in members {
            let place = below(at, name);
            match schema.properties.iter().find(|(known, _)| known == name) {
                Some((_, property)) => self.check(property, value, &place),
                None => match &schema.additional_properties {
                    Some(other) => self.check(other, value, &place),
                    None if schema.properties.is_empty() => {}
                    None => self.fault(&place, "unknown", "没有这个字段", "There is no such member"),
                },
            }
        }
    }

    fn check_array(&mut self, schema: &MetaSchema, items: &[Value], at: &str) {
        self.check_size(schema.min_items, schema.max_items, items.len(), at, ITEMS);
        if schema.max_items.is_some_and(|most| items.len() > most) {
            return; // The items are not validated one by one: there could be a million.
        }
        if let Some(schema) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                self.check(schema, item, &below(at, &index.to_string()));
            }
        }
    }

    fn check_text(&mut self, schema: &MetaSchema, text: &str, at: &str) {
        self.check_size(schema.min_length, schema.max_length, text.chars().count(), at, CHARACTERS);
        let misfits = |pattern: &String| self.shape.patterns.get(pattern).is_some_and(|regex| !regex.is_match(text));
        let unread = match schema.format {
            Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_err(),
            Some("date") => text.parse::<chrono::NaiveDate>().is_err(),
            _ => false,
        };
        if unread || schema.pattern.as_ref().is_some_and(misfits) {
            self.fault(at, "wrong_format", "格式不正确", "It does not have the right format");
        }
    }

    fn check_number(&mut self, schema: &MetaSchema, number: Option<f64>, at: &str) {
        let Some(number) = number else { return };
        if let Some(least) = schema.minimum.filter(|least| number < *least) {
            self.fault(at, "too_small", format!("不能小于 {least}"), format!("It must be at least {least}"));
        }
        if let Some(most) = schema.maximum.filter(|most| number > *most) {
            self.fault(at, "too_large", format!("不能大于 {most}"), format!("It must be at most {most}"));
        }
    }

    fn check_size(&mut self, least: Option<usize>, most: Option<usize>, size: usize, at: &str, unit: Unit) {
        let Unit { zh, en } = unit;
        if let Some(least) = least.filter(|least| size < *least) {
            self.fault(at, "too_short", format!("至少 {least} {zh}"), format!("At least {least} {en}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.fault(at, "too_long", format!("最多 {most} {zh}"), format!("At most {most} {en}"));
        }
    }
}

struct Unit {
    zh: &'static str,
    en: &'static str,
}

const ITEMS: Unit = Unit { zh: "项", en: "items" };
const CHARACTERS: Unit = Unit { zh: "个字", en: "characters" };

/// Returns the JSON pointer of the member `name` of the value at `at` (escapes of RFC 6901 §3).
fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn kind(name: &str) -> (&'static str, &'static str) {
    match name {
        "object" => ("对象", "an object"),
        "array" => ("数组", "an array"),
        "string" => ("字符串", "a string"),
        "integer" => ("整数", "an integer"),
        "number" => ("数字", "a number"),
        "boolean" => ("布尔值", "true or false"),
        _ => ("其他类型", "of another type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem_openapi::{Enum, Object, Union};
    use serde_json::json;

    #[derive(Debug, Enum)]
    #[oai(rename_all = "snake_case")]
    enum Colour {
        Red,
    }

    #[derive(Debug, Object)]
    #[oai(deny_unknown_fields)]
    struct Inner {
        #[oai(validator(max_length = 2))]
        name: String,
        colour: Option<Colour>,
    }

    #[derive(Debug, Object)]
    struct Post {
        house: String,
    }

    #[derive(Debug, Union)]
    #[oai(discriminator_name = "way", one_of)]
    enum Way {
        #[oai(mapping = "post")]
        Post(Post),
    }

    #[derive(Debug, Object)]
    #[oai(deny_unknown_fields)]
    struct Outer {
        #[oai(validator(min_items = 1))]
        list: Vec<Inner>,
        count: u32,
        way: Option<Way>,
    }

    fn found(value: &Value) -> Vec<(String, String)> {
        faults::<Outer>(value).into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let value = json!({
            "list": [{ "name": "long", "colour": "blue" }, { "a/b~": 1 }, 7],
            "count": "many",
            "way": { "way": "post" },
        });
        let expected = [
            ("/count", "wrong_type"),
            ("/list/0/colour", "not_allowed"),
            ("/list/0/name", "too_long"),
            ("/list/1/name", "required"),
            ("/list/1/a~1b~0", "unknown"),
            ("/list/2", "wrong_type"),
            ("/way/house", "required"),
        ];
        assert_eq!(found(&value), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
    }

    #[test]
    fn a_null_is_not_an_absent_member() {
        let value = json!({ "list": [{ "name": "ok", "colour": null }], "count": 1, "way": null });
        let expected = [("/list/0/colour", "not_allowed"), ("/way/way", "not_allowed"), ("/way", "wrong_type")];
        assert_eq!(found(&value), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
    }

    #[test]
    fn the_list_of_faults_is_bounded() {
        let strangers: Map<String, Value> = (0..1000).map(|n| (format!("stranger{n:04}"), json!(1))).collect();
        let found = found(&Value::Object(strangers));
        assert_eq!(found.len(), MOST_FAULTS);
        assert_eq!(found[0], ("/list".to_owned(), "required".to_owned()));
        let endless = json!({ "list": vec![json!(7); 100_000], "count": "many" });
        assert_eq!(faults::<Outer>(&endless).len(), MOST_FAULTS);
    }

    #[test]
    fn a_list_that_is_too_long_is_one_fault() {
        #[derive(Debug, Object)]
        struct Short {
            #[oai(validator(max_items = 2))]
            list: Vec<u32>,
        }
        let found = faults::<Short>(&json!({ "list": ["a", "b", "c"] }));
        assert_eq!(found.iter().map(|fault| fault.code.as_ref()).collect::<Vec<_>>(), ["too_long"]);
    }

    #[test]
    fn a_valid_value_has_no_faults() {
        assert!(found(&json!({ "list": [{ "name": "ok", "colour": "red" }], "count": 1 })).is_empty());
        assert_eq!(found(&json!([])), [(String::new(), "wrong_type".to_owned())]);
        assert_eq!(found(&json!({ "list": [], "count": 1, "way": { "way": "pigeon" } })).len(), 2);
    }
}
