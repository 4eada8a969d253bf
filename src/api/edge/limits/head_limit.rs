//! How long a request's address and headers may be. Beyond what stands here the HTTP library has limits of its own, and
//! refuses without a word; so ours are far below them, and say what is wrong.

use std::future::{Future, ready};

use futures_util::future::Either;
use poem::http::{HeaderMap, Uri};
use poem::{Endpoint, Middleware, Request, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::domain::kernel::text::Bilingual;

const KIB: usize = 1024;
/// The longest address, in bytes; all cursors and searches fit ten times over.
const LONGEST_ADDRESS: usize = 8 * KIB;
/// All names and values together, in bytes.
const LARGEST_HEADERS: usize = 32 * KIB;

/// The middleware.
pub struct LimitHeads;

impl<E: Endpoint> Middleware<E> for LimitHeads {
    type Output = Limited<E>;

    fn transform(&self, inner: E) -> Limited<E> {
        Limited { inner }
    }
}

/// See [`LimitHeads`].
pub struct Limited<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = E::Output;

    fn call(&self, request: Request) -> impl Future<Output = Result<E::Output>> + Send {
        match judge(request.uri(), request.headers()) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(problem) => Either::Right(ready(Err(problem.into()))),
        }
    }
}

fn judge(address: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let at_most = |kib: usize| Bilingual::new(format!("不能超过 {kib} KiB"), format!("At most {kib} KiB"));
    let length = address.path_and_query().map_or(0, |given| given.as_str().len());
    if length > LONGEST_ADDRESS {
        return Err(Problem::new(Code::AddressTooLong).detail(at_most(LONGEST_ADDRESS / KIB)));
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > LARGEST_HEADERS {
        return Err(Problem::new(Code::HeadersTooLarge).detail(at_most(LARGEST_HEADERS / KIB)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn what_is_too_long_is_told() {
        let judge = |query: usize, value: usize| {
            let address: Uri = format!("/v1/items?q={}", "x".repeat(query)).parse().unwrap();
            let value = HeaderValue::from_str(&"x".repeat(value)).unwrap();
            judge(&address, &HeaderMap::from_iter([(header::COOKIE, value)])).map_err(|problem| problem.code())
        };
        assert_eq!(judge(8_000, 32_000), Ok(()));
        assert_eq!(judge(9_000, 0), Err(Code::AddressTooLong));
        assert_eq!(judge(0, 33_000), Err(Code::HeadersTooLarge));
    }
}
