//! From the handlers' types to a finished OpenAPI document.
//!
//! poem-openapi writes what it knows; [`finish`] corrects its form and adds what all operations share, [`problems`]
//! derives the problem answers of an operation from its shape, [`examples`] shows every body, and [`lint`] refuses a
//! document that does not keep the rules. So a handler states nothing twice, and no document can forget a 401.

mod closed;
mod examples;
mod finish;
mod lint;
mod problems;

use std::collections::HashMap;
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

/// What a document says about itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The file's name without its ending: `mobile`.
    pub file: &'static str,
    /// The title, Chinese and English.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The ids of the operations that need no token.
    pub open: &'static [&'static str],
}

/// The finished document of an API, or every rule that it breaks.
///
/// # Errors
/// One line per broken rule, naming the operation.
pub fn document<A: OpenApi>(about: &About) -> Result<Value, Vec<String>> {
    let mut faults = lint::duplicates(&A::meta());
    let service = OpenApiService::new(Shape::<A>(PhantomData), about.title, env!("CARGO_PKG_VERSION"))
        .description(about.description)
        .server("/");
    let mut document: Value = serde_json::from_str(&service.spec()).map_err(|error| vec![error.to_string()])?;
    finish::finish(&mut document);
    faults.extend(lint::faults(&document, about.open));
    if faults.is_empty() { Ok(document) } else { Err(faults) }
}

/// A document as it is committed and served.
#[must_use]
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The shape of an API without the API: describing needs no database.
struct Shape<A>(PhantomData<fn() -> A>);

impl<A: OpenApi> OpenApi for Shape<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// Every operation of a document: path, method, operation.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The same, to be changed.
fn operations_mut(document: &mut Value) -> impl Iterator<Item = (&String, &String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object_mut().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    })
}

/// What a `$ref` into the components leads to; anything else is itself.
fn resolve<'a>(components: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix("#/components"));
    target.and_then(|pointer| components.pointer(pointer)).unwrap_or(value)
}
