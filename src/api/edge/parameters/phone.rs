//! Mobile phone numbers in request bodies. All operations accept and refuse the same numbers.

use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::domain::people::identity::MobilePhone;

/// Parses a mobile number. `pointer` is its JSON pointer in the body, for the error.
pub fn read_phone(text: &str, pointer: &str) -> Result<MobilePhone, Problem> {
    let fault =
        || FieldError::new(pointer, "not_a_phone", "请填写大陆手机号", "It must be a mobile number of mainland China");
    MobilePhone::parse(text).map_err(|_| Problem::invalid([fault()]))
}
