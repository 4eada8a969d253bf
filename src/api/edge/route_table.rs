//! All paths of the server, with their methods, because poem's router does not list them. The `Allow` header of 405
//! (RFC 9110 §15.5.6), logs, metrics, and the rate limit of attempts to sign in depend on this table.

use std::collections::BTreeSet;

use poem::http::{HeaderValue, Method};
use poem_openapi::registry::MetaApi;

use crate::api::edge::parameters::security::is_sign_in_attempt;
use crate::metrics::requests::Route;

/// The addresses, and the router that finds them: each request is looked up here.
#[derive(Default)]
pub struct RouteTable {
    addresses: Vec<Address>,
    /// The place of an address in `addresses`, by its pattern.
    places: matchit::Router<usize>,
}

#[derive(Debug)]
struct Address {
    /// The path as logs and metrics show it: `/v1/cases/{id}`.
    route: Route,
    methods: BTreeSet<String>,
    /// The methods by which a caller tries to sign in, or to prove an identity.
    attempts: Vec<Method>,
}

impl RouteTable {
    #[must_use]
    pub fn with_operations(mut self, apis: Vec<MetaApi>) -> Self {
        for path in apis.into_iter().flat_map(|api| api.paths) {
            for operation in &path.operations {
                let address = self.add(&path.path, &operation.method);
                if is_sign_in_attempt(operation) {
                    address.attempts.push(operation.method.clone());
                }
            }
        }
        self
    }

    /// Adds a path for GET that is in no OpenAPI document.
    #[must_use]
    pub fn with_page(self, path: &str) -> Self {
        self.with_address(path, &[Method::GET])
    }

    /// Adds a path that is in no OpenAPI document.
    #[must_use]
    pub fn with_address(mut self, path: &str, methods: &[Method]) -> Self {
        for method in methods {
            self.add(path, method);
        }
        self
    }

    fn add(&mut self, path: &str, method: &Method) -> &mut Address {
        let pattern = documented(path);
        let at = self.addresses.iter().position(|address| address.route.name() == pattern).unwrap_or_else(|| {
            // The framework's router has refused patterns that conflict.
            let is_new = self.places.insert(&pattern, self.addresses.len()).is_ok();
            debug_assert!(is_new, "{pattern} conflicts with another address");
            self.addresses.push(Address::new(&pattern));
            self.addresses.len() - 1
        });
        let address = &mut self.addresses[at];
        address.methods.insert(method.to_string());
        if method == Method::GET {
            address.methods.insert(Method::HEAD.to_string());
        }
        address
    }

    /// Returns the value of the `Allow` header for a path; `None` if the path is unknown.
    pub fn allow(&self, path: &str) -> Option<HeaderValue> {
        let methods = &self.find(path)?.methods;
        HeaderValue::from_str(&methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ")).ok()
    }

    /// Returns the route under which logs and metrics record a path; `None` if the path is unknown.
    pub fn route(&self, path: &str) -> Option<&Route> {
        self.find(path).map(|address| &address.route)
    }

    /// True if a request tries to sign in, or to prove an identity.
    pub fn is_sign_in_attempt(&self, method: &Method, path: &str) -> bool {
        self.find(path).is_some_and(|address| address.attempts.contains(method))
    }

    /// Finds the matching address with the fewest parameters, as poem's router does.
    fn find(&self, path: &str) -> Option<&Address> {
        self.places.at(path).ok().map(|found| &self.addresses[*found.value])
    }
}

impl Address {
    fn new(pattern: &str) -> Self {
        Self { route: Route::new(pattern), methods: BTreeSet::new(), attempts: Vec::new() }
    }
}

/// A path as the documents write it: `/v1/cases/{id}` for the framework's `/v1/cases/:id`.
fn documented(path: &str) -> String {
    let segment = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_literal_address_counts() {
        let mut routes = RouteTable::default().with_page("/v1/cases/{id}").with_page("/healthz");
        routes.add("/v1/cases/current", &Method::DELETE);
        routes.add("/v1/cases/{id}", &Method::PUT);
        assert_eq!(routes.allow("/v1/cases/7").unwrap(), "GET, HEAD, PUT");
        assert_eq!(routes.allow("/v1/cases/current").unwrap(), "DELETE");
        assert_eq!(routes.allow("/v1/cases"), None);
        routes.add("/v1/parcels/:id/label", &Method::GET);
        let name = |path| routes.route(path).map(Route::name);
        assert_eq!(name("/v1/parcels/7/label"), Some("/v1/parcels/{id}/label"));
        assert_eq!(name("/v1/cases/7"), Some("/v1/cases/{id}"));
    }
}
