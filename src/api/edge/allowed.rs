//! Which addresses there are, and which methods each answers to: the `Allow` header of 405 (RFC 9110 §15.5.6), and the
//! name of an address for the log and the counts, which the router does not tell.

use std::collections::BTreeSet;

use poem::http::{HeaderValue, Method};
use poem_openapi::OpenApi;

use crate::metrics::requests::Route;

/// The addresses and their methods.
#[derive(Debug, Default)]
pub struct Allowed(Vec<Address>);

#[derive(Debug)]
struct Address {
    /// As the documents write it: `/v1/cases/{id}`.
    route: Route,
    /// `None` stands for a parameter.
    segments: Vec<Option<String>>,
    methods: BTreeSet<String>,
}

impl Allowed {
    /// Adds every operation of an audience.
    #[must_use]
    pub fn with<A: OpenApi>(mut self) -> Self {
        for path in A::meta().into_iter().flat_map(|api| api.paths) {
            for operation in &path.operations {
                self.add(&path.path, &operation.method);
            }
        }
        self
    }

    /// Adds an address that stands in no document; it answers to GET.
    #[must_use]
    pub fn with_page(self, path: &str) -> Self {
        self.with_address(path, &[Method::GET])
    }

    /// Adds an address that stands in no document.
    #[must_use]
    pub fn with_address(mut self, path: &str, methods: &[Method]) -> Self {
        for method in methods {
            self.add(path, method);
        }
        self
    }

    fn add(&mut self, path: &str, method: &Method) {
        let segment = |text: &str| (!text.starts_with(['{', ':'])).then(|| text.to_owned());
        let segments: Vec<_> = path.split('/').map(segment).collect();
        let known = self.0.iter().position(|address| address.segments == segments);
        let at = known.unwrap_or_else(|| {
            let parts = path
                .split('/')
                .map(|part| part.strip_prefix(':').map_or(part.to_owned(), |name| format!("{{{name}}}")));
            let route = parts.collect::<Vec<_>>().join("/");
            self.0.push(Address { route: Route::new(&route), segments, methods: BTreeSet::new() });
            self.0.len() - 1
        });
        if let Some(address) = self.0.get_mut(at) {
            address.methods.insert(method.to_string());
            if method == Method::GET {
                address.methods.insert(Method::HEAD.to_string());
            }
        }
    }

    /// The value of `Allow` at a path.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<HeaderValue> {
        let methods = &self.find(path)?.methods;
        HeaderValue::from_str(&methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ")).ok()
    }

    /// The address of a path, and what is counted of it.
    #[must_use]
    pub fn route(&self, path: &str) -> Option<&Route> {
        self.find(path).map(|address| &address.route)
    }

    /// Of several addresses that fit, the most literal one counts, as in the router.
    fn find(&self, path: &str) -> Option<&Address> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |address: &&Address| {
            address.segments.len() == given.len()
                && address
                    .segments
                    .iter()
                    .zip(&given)
                    .all(|(have, given)| have.as_ref().is_none_or(|have| have == given))
        };
        let literals = |address: &&Address| address.segments.iter().flatten().count();
        self.0.iter().filter(fits).max_by_key(literals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_literal_address_counts() {
        let mut allowed = Allowed::default().with_page("/v1/cases/{id}").with_page("/healthz");
        allowed.add("/v1/cases/current", &Method::DELETE);
        allowed.add("/v1/cases/{id}", &Method::PUT);
        assert_eq!(allowed.at("/v1/cases/7").unwrap(), "GET, HEAD, PUT");
        assert_eq!(allowed.at("/v1/cases/current").unwrap(), "DELETE");
        assert_eq!(allowed.at("/v1/cases"), None);
        allowed.add("/v1/parcels/:id/label", &Method::GET);
        let name = |path| allowed.route(path).map(Route::name);
        assert_eq!(name("/v1/parcels/7/label"), Some("/v1/parcels/{id}/label"));
        assert_eq!(name("/v1/cases/7"), Some("/v1/cases/{id}"));
    }
}
