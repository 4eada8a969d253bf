//! The document of one API.

use std::collections::HashMap;
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use super::{finish, lint};

/// What a document says about itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The name of its file, without the ending: `mobile`.
    pub file: &'static str,
    /// The title: `掌上办理 · Songda mobile API`.
    pub title: &'static str,
    pub description: &'static str,
}

/// The finished document of an API, or every rule that it breaks.
///
/// # Errors
/// One line per broken rule, with the operation's name.
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

/// A document as it is committed and served.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The shape of an API without the API: a description needs no database.
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
