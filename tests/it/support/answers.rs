//! Assertions about the API's answers.

use songda::demo::http::Reply;

/// Asserts that an answer is a problem with this status and code.
#[track_caller]
pub fn assert_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.body["code"].as_str()), (status, Some(code)), "{}", reply.body);
}

/// Returns all faults of a body: the JSON pointer and the code of each.
pub fn faults(reply: &Reply) -> Vec<(&str, &str)> {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("no fault: {}", reply.body));
    errors.iter().map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect()
}

/// Returns the header `Idempotent-Replayed` of an answer: `true`, or empty.
pub fn replayed(reply: &Reply) -> &str {
    reply.header("idempotent-replayed")
}
