//! Mobile numbers in bodies: every operation refuses the same numbers in the same way.

use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::domain::people::identity::MobilePhone;

/// Reads the number at `pointer`, a JSON pointer into the body.
pub fn read_phone(text: &str, pointer: &str) -> Result<MobilePhone, Problem> {
    let fault =
        || FieldError::new(pointer, "not_a_phone", "请填写大陆手机号", "It must be a mobile number of mainland China");
    MobilePhone::parse(text).map_err(|_| Problem::invalid([fault()]))
}
