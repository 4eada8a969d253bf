//! Programs of others that judge what we do. Not every machine has them. A test that needs a missing one says so and
//! passes, unless `SONGDA_TEST_JUDGES` is `required`, as in `.ci/run`: then it fails.

use std::io::Write;

/// Reports that a program is missing.
#[track_caller]
pub fn missing(program: &str, how_to_install: &str) {
    let required = std::env::var("SONGDA_TEST_JUDGES").is_ok_and(|value| value == "required");
    assert!(!required, "{program} is missing: {how_to_install}");
    // Not captured by the test runner, so that it is always seen.
    let _ = writeln!(std::io::stderr(), "skipped: {program} is missing: {how_to_install}");
}
