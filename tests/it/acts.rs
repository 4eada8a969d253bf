//! What tests about cases ask for in the same way.

use songda::demo::http::Reply;

/// An answer is this problem.
pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.body["code"].as_str()), (status, Some(code)), "{}", reply.body);
}
