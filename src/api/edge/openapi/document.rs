//! Builds the OpenAPI document of one audience.

use std::collections::HashMap;
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use super::{finish, lint};

#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The name of the document's file, without the extension: `mobile`.
    pub file: &'static str,
    /// The title in both languages: `掌上办理 · Songda mobile API`.
    pub title: &'static str,
    pub description: &'static str,
}

/// Builds the finished document of an API. If it breaks documentation rules, fails with the list of the broken rules,
/// each with its operation.
pub fn document<A: OpenApi>(about: &About) -> Result<Value, Vec<String>> {
    let mut faults = lint::faults_of_paths(&A::meta());
    let service = OpenApiService::new(Shape::<A>(PhantomData), about.title, env!("CARGO_PKG_VERSION"))
        .description(about.description)
        .server("/");
    let mut document: Value = serde_json::from_str(&service.spec()).map_err(|error| vec![error.to_string()])?;
    finish::finish(&mut document);
    faults.extend(lint::faults_of_document(&document));
    if faults.is_empty() { Ok(document) } else { Err(faults) }
}

/// Formats a document as it is committed and served.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// A substitute for the API `A`, from which the document is built. An instance of `A` itself would need a database.
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
