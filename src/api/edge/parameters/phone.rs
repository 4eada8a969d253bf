//! A mobile number in a body: read by the domain's rule, so that every operation refuses the same numbers alike.

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::identity::MobilePhone;

/// Reads the number that stands at a JSON pointer of the body.
///
/// # Errors
/// `invalid_body`, naming the pointer.
pub fn read_phone(text: &str, pointer: &str) -> Result<MobilePhone, Problem> {
    let message = || Bilingual::new("请填写大陆手机号", "It must be a mobile number of the mainland");
    MobilePhone::parse(text)
        .map_err(|_| Problem::new(Code::InvalidBody).errors(vec![FieldError::new(pointer, "not_a_phone", message())]))
}
