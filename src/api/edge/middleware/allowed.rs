//! Which addresses there are, and which methods each answers to: the `Allow` header of 405 (RFC 9110 §15.5.6), and the
//! name of an address for the log and the counts, which the router does not tell.

use std::collections::BTreeSet;

use poem::http::{HeaderValue, Method};
use poem_openapi::OpenApi;

use crate::metrics::requests::Route;

/// The addresses and their methods, by the number of their segments, those with the most literals first: each request
/// looks here.
#[derive(Debug, Default)]
pub struct Allowed(Vec<Vec<Address>>);

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
        let length = segments.len();
        self.0.resize_with(self.0.len().max(length + 1), Vec::new);
        let same_length = &mut self.0[length];
        if !same_length.iter().any(|address| address.segments == segments) {
            let parts = path
                .split('/')
                .map(|part| part.strip_prefix(':').map_or(part.to_owned(), |name| format!("{{{name}}}")));
            let route = parts.collect::<Vec<_>>().join("/");
            same_length.push(Address {
                route: Route::new(&route),
                segments: segments.clone(),
                methods: BTreeSet::new(),
            });
            same_length.sort_by_key(|address| address.segments.iter().filter(|segment| segment.is_none()).count());
        }
        if let Some(address) = same_length.iter_mut().find(|address| address.segments == segments) {
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

    /// Of several addresses that fit, the most literal one counts, as in the router: it stands first.
    fn find(&self, path: &str) -> Option<&Address> {
        let given: Vec<&str> = path.split('/').collect();
        let same_length = self.0.get(given.len())?;
        let fits = |address: &&Address| {
            address.segments.iter().zip(&given).all(|(have, given)| have.as_ref().is_none_or(|have| have == given))
        };
        same_length.iter().find(fits)
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
