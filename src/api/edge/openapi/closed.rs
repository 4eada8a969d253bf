//! Adds a rule to an OpenAPI document: request bodies must not have unknown members (`additionalProperties: false`).
//! [`crate::api::edge::parameters::shape`] enforces this rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::operations::{OperationRef, operations};

const SCHEMAS: &str = "#/components/schemas/";

/// Forbids unknown members in the schema of every JSON request body, and in the schemas within it.
pub(super) fn close(document: &mut Value) {
    let mut sent = BTreeSet::new();
    for OperationRef { value, .. } in operations(document) {
        let body = &value["requestBody"]["content"]["application/json"]["schema"];
        collect(body, document, &mut sent);
    }
    for name in sent {
        let schema = &mut document["components"]["schemas"][name];
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
    }
}

/// Collects the names of all schemas that `schema` refers to, directly or through other schemas.
fn collect(schema: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS));
            if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                collect(&document["components"]["schemas"][name], document, found);
            }
            // Skips examples: they are data and not schemas.
            members
                .iter()
                .filter(|(name, _)| *name != "example")
                .for_each(|(_, inner)| collect(inner, document, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, document, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_of_requests_are_closed_and_those_of_answers_are_open() {
        let refer = |name: &str| json!({ "$ref": format!("{SCHEMAS}{name}") });
        let object = || json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let mut document = json!({
            "paths": { "/v1/cases": { "post": {
                "requestBody": { "content": { "application/json": { "schema": refer("NewCase") } } },
                "responses": { "200": { "content": { "application/json": { "schema": refer("Case") } } } },
            } } },
            "components": { "schemas": {
                "NewCase": { "type": "object", "properties": { "rows": { "type": "array", "items": refer("Row") } } },
                "Row": object(),
                "Case": object(),
            } },
        });
        close(&mut document);
        let closed = |name: &str| document["components"]["schemas"][name].get("additionalProperties").cloned();
        assert_eq!([closed("NewCase"), closed("Row"), closed("Case")], [Some(json!(false)), Some(json!(false)), None]);
    }
}
