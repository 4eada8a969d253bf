//! Says of everything that callers send that it holds no other members: [`crate::api::edge::parameters::shape`] refuses them, and
//! poem-openapi does not say so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::operations;

const SCHEMAS: &str = "#/components/schemas/";

/// Closes the schema of every JSON body, and those within it.
pub(super) fn close(document: &mut Value) {
    let mut sent = BTreeSet::new();
    for (_, _, operation) in operations(document) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        collect(body, document, &mut sent);
    }
    for name in sent {
        let schema = &mut document["components"]["schemas"][name];
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
    }
}

/// The names of all schemas that a schema leads to.
fn collect(schema: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS));
            if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                collect(&document["components"]["schemas"][name], document, found);
            }
            // An example may hold anything.
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
    fn what_is_sent_is_closed_and_what_is_told_is_open() {
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
