//! Turns faults of a postal address into faults of a request body. Residents send addresses to their address book;
//! other systems send them with results.

use crate::api::edge::FieldError;
use crate::casework::people::addresses::AddressFault;

/// Turns a fault of a postal address into a fault of the body. `at` is the JSON pointer of the address:
/// `/delivery/recipient`.
pub fn field_error(at: &str, fault: AddressFault) -> FieldError {
    let (pointer, code, zh, en) = match fault {
        AddressFault::Name => ("/name", "not_a_name", "请填写收件人，最多 50 个字", "1 to 50 characters are needed"),
        AddressFault::Phone => {
            ("/phone", "not_a_phone", "请填写大陆手机号", "It must be a mobile number of mainland China")
        }
        AddressFault::Region => ("/region", "unknown_region", "没有这个区县", "There is no such county"),
        AddressFault::Detail => {
            ("/detail", "not_a_place", "请填写详细地址，最多 200 个字", "1 to 200 characters are needed")
        }
        AddressFault::Postcode => ("/postcode", "wrong_format", "邮政编码为 6 位数字", "A postcode has six digits"),
    };
    FieldError::new(format!("{at}{pointer}"), code, zh, en)
}
