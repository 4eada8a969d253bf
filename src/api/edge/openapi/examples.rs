//! Adds examples of parameters and JSON bodies to an OpenAPI document. The example of a parameter comes from the table
//! below or from its type. The example of a body comes from its type (`#[oai(example)]`), or is composed of the
//! examples of its members.

use serde_json::{Map, Value, json};

use super::operations::{OperationRefMut, operations_mut, resolve};

/// The depth at which the search for an example ends in a recursive schema.
const DEEPEST: usize = 12;

/// Examples of text and number parameters by name. A name has the same meaning in every operation.
const PARAMETERS: [(&str, &str); 14] = [
    ("If-None-Match", "\"0f3a5d0c7b1e4f6a8c9d0e1f2a3b4c5d\""),
    ("Last-Event-ID", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("agency", "public-security"),
    ("code", "JT-0045"),
    ("cursor", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("kind", "push"),
    ("lane", "push.wechat"),
    ("limit", "20"),
    ("number", "32041320260302000042O"),
    ("q", "居住证"),
    ("reference", "A-2026-0001"),
    ("source", "approvals"),
    ("topic", "marriage"),
    ("wait", "20"),
];

/// Adds an example to every parameter and JSON body without one. [`super::lint`] reports each parameter and body for
/// which no example can be composed.
pub(super) fn add(document: &mut Value) {
    let components = document["components"].clone();
    for OperationRefMut { value: operation, .. } in operations_mut(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            show_parameter(parameter, &components);
        }
        if let Some(body) = operation.get_mut("requestBody") {
            show(body, &components);
        }
        for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            show(response, &components);
        }
    }
}

fn show_parameter(parameter: &mut Value, components: &Value) {
    if parameter.get("example").is_some() {
        return;
    }
    // The table does not apply to an enum: the example must be one of the enum's values.
    let is_free = parameter["schema"].get("enum").is_none();
    let named = PARAMETERS.iter().find(|(name, _)| is_free && parameter["name"] == *name).map(|(_, example)| *example);
    let example = match (named, parameter["schema"]["type"].as_str()) {
        (Some(number), Some("integer")) => number.parse::<i64>().ok().map(Value::from),
        (Some(text), _) => Some(json!(text)),
        (None, _) => of_schema(&parameter["schema"], components, 0),
    };
    if let Some(example) = example {
        parameter["example"] = example;
    }
}

fn show(holder: &mut Value, components: &Value) {
    let Some(content) = holder.get_mut("content").and_then(Value::as_object_mut) else { return };
    for (kind, media) in content {
        let is_silent = is_shown(kind) && media.get("example").is_none();
        if let Some(example) = is_silent.then(|| of_schema(&media["schema"], components, 0)).flatten() {
            media["example"] = example;
        }
    }
}

/// True if bodies of this media type have examples.
pub(super) fn is_shown(kind: &str) -> bool {
    kind.ends_with("json") || kind == "application/x-www-form-urlencoded"
}

/// Composes an example of a schema; `None` if a required part has no example.
fn of_schema(schema: &Value, components: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let inner = |schema: &Value| of_schema(schema, components, depth + 1);
    if let Some(told) = ["example", "default"].iter().find_map(|name| schema.get(*name)) {
        return Some(told.clone());
    }
    if schema.get("$ref").is_some() {
        let target = resolve(components, schema);
        return if std::ptr::eq(target, schema) { None } else { inner(target) };
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return Some(first.clone());
    }
    if let Some(part) = ["allOf", "oneOf", "anyOf"].iter().find_map(|name| schema[*name].as_array()) {
        return part.iter().find_map(inner);
    }
    match (schema["type"].as_str()?, schema["format"].as_str()) {
        ("object", _) => of_object(schema, inner),
        ("array", _) => inner(&schema["items"]).map(|item| json!([item])),
        ("boolean", _) => Some(json!(false)),
        ("string", Some("date-time")) => Some(json!("2026-11-23T08:00:00Z")),
        ("string", Some("date")) => Some(json!("2026-11-23")),
        ("integer", _) => {
            Some(schema.get("minimum").and_then(Value::as_f64).map_or(json!(1), |least| json!(least as i64)))
        }
        _ => None,
    }
}

/// Composes an object of all members with an example; `None` if a required member has no example.
fn of_object(schema: &Value, inner: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut members = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        match inner(property) {
            Some(value) => {
                members.insert(name.clone(), value);
            }
            None if required.contains(&json!(name)) => return None,
            None => {}
        }
    }
    Some(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_made_of_its_rows() {
        let components = json!({ "schemas": { "Row": { "type": "object", "example": { "id": "case_1" } } } });
        let page = json!({
            "type": "object",
            "required": ["data", "has_more"],
            "properties": {
                "data": { "type": "array", "items": { "$ref": "#/components/schemas/Row" } },
                "has_more": { "type": "boolean" },
                "next_cursor": { "type": "string" },
            },
        });
        assert_eq!(of_schema(&page, &components, 0), Some(json!({ "data": [{ "id": "case_1" }], "has_more": false })));
        let silent = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } });
        assert_eq!(of_schema(&silent, &components, 0), None);
    }

    #[test]
    fn a_recursive_type_ends() {
        let components =
            json!({ "schemas": { "Tree": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } } } });
        assert_eq!(of_schema(&json!({ "$ref": "#/components/schemas/Tree" }), &components, 0), None);
    }
}
