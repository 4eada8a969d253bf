//! Limits the length of a request's URL and headers. The limits of the HTTP library are far higher, and its error
//! responses explain nothing. Also refuses a second `Authorization` header: programs before and behind this one could
//! read different callers from such a request.

use std::future::{Future, ready};

use futures_util::future::Either;
use poem::http::{HeaderMap, HeaderValue, Uri, header};
use poem::{Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::layer::{Inner, Layer};

const KIB: usize = 1024;
/// The maximum length of path and query together, in bytes: about ten times the length of the longest cursor or search
/// text.
const LONGEST_ADDRESS: usize = 8 * KIB;
/// The limit for all header names and values together, in bytes.
const LARGEST_HEADERS: usize = 32 * KIB;

pub struct LimitHeads;

impl Layer for LimitHeads {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        match check(request.uri(), request.headers()) {
            Ok(()) => Either::Left(inner.call(request)),
            Err(problem) => Either::Right(ready(Err(problem.into()))),
        }
    }
}

fn check(address: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let too_long = |code, limit: usize| {
        let kib = limit / KIB;
        Problem::new(code).detail(format!("不能超过 {kib} KiB"), format!("At most {kib} KiB"))
    };
    let length = address.path_and_query().map_or(0, |given| given.as_str().len());
    if length > LONGEST_ADDRESS {
        return Err(too_long(Code::AddressTooLong, LONGEST_ADDRESS));
    }
    if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
        return Err(two_tokens());
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > LARGEST_HEADERS {
        return Err(too_long(Code::HeadersTooLarge, LARGEST_HEADERS));
    }
    Ok(())
}

/// RFC 6750 §3.1: a request with more than one token is an `invalid_request`.
fn two_tokens() -> Problem {
    const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda", error="invalid_request""#);
    Problem::new(Code::MalformedRequest)
        .header(header::WWW_AUTHENTICATE, CHALLENGE)
        .detail("请求头 Authorization 只能出现一次", "The Authorization header may appear only once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_address_and_large_headers_are_refused() {
        let check = |query: usize, value: usize| {
            let address: Uri = format!("/v1/items?q={}", "x".repeat(query)).parse().unwrap();
            let value = HeaderValue::from_str(&"x".repeat(value)).unwrap();
            super::check(&address, &HeaderMap::from_iter([(header::COOKIE, value)])).map_err(|problem| problem.code())
        };
        assert_eq!(check(8_000, 32_000), Ok(()));
        assert_eq!(check(9_000, 0), Err(Code::AddressTooLong));
        assert_eq!(check(0, 33_000), Err(Code::HeadersTooLarge));
    }
}
