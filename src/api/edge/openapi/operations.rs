//! Iterates over the operations of an OpenAPI document.

use serde_json::Value;

pub(super) struct OperationRef<'a> {
    pub path: &'a str,
    pub method: &'a str,
    pub value: &'a Value,
}

pub(super) struct OperationRefMut<'a> {
    pub method: &'a str,
    pub value: &'a mut Value,
}

pub(super) fn operations(document: &Value) -> impl Iterator<Item = OperationRef<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, value)| OperationRef { path, method, value })
    })
}

pub(super) fn operations_mut(document: &mut Value) -> impl Iterator<Item = OperationRefMut<'_>> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(_, methods)| {
        let methods = methods.as_object_mut().into_iter().flatten();
        methods.map(|(method, value)| OperationRefMut { method, value })
    })
}

/// Returns the component that a `$ref` names. Returns a value without a `$ref` unchanged.
pub(super) fn resolve<'a>(components: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix("#/components"));
    target.and_then(|pointer| components.pointer(pointer)).unwrap_or(value)
}
