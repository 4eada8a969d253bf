//! A mobile number in a body. The rule is the domain's, so every operation refuses the same numbers in the same way.

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::identity::MobilePhone;

/// Reads the number at a JSON pointer of the body.
///
/// # Errors
/// `invalid_body` with the pointer.
pub fn read_phone(text: &str, pointer: &str) -> Result<MobilePhone, Problem> {
    let message = || Bilingual::new("请填写大陆手机号", "It must be a mobile number of mainland China");
    MobilePhone::parse(text)
        .map_err(|_| Problem::new(Code::InvalidBody).errors(vec![FieldError::new(pointer, "not_a_phone", message())]))
}
