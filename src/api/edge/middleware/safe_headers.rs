//! Headers that protect every answer in browsers and caches. An answer that says nothing about caching is personal, so
//! no cache may store it: an operation cannot forget to say so.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Request, Response, Result};
use url::Url;

use crate::api::edge::middleware::layer::{Inner, Layer};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// One year, for this host only: some other hosts of an administration's domain possibly have no TLS.
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers.
#[derive(Debug, Clone, Copy)]
pub struct ProtectAnswers {
    /// True if the installation is reached over TLS. Browsers then refuse to reach it without (HSTS, RFC 6797).
    pub has_tls: bool,
}

impl ProtectAnswers {
    /// A reverse proxy ends TLS, so only the public address shows if an installation has it.
    pub fn at(public_url: &Url) -> Self {
        Self { has_tls: public_url.scheme() == "https" }
    }

    fn protect(self, headers: &mut HeaderMap) {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        if self.has_tls {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
        }
    }
}

impl Layer for ProtectAnswers {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        inner.call(request).map_ok(|mut response| {
            self.protect(response.headers_mut());
            response
        })
    }
}
