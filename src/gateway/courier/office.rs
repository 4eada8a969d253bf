//! The settings of the office that sends all parcels. Its address is the sender's address in every order.

use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::private::Private;
use crate::env::Env;

pub fn office(env: &mut Env) -> Option<PostalAddress> {
    let name = env.required("SONGDA_OFFICE_NAME", "name of the office that sends the parcels, as on the label");
    let phone = env.required("SONGDA_OFFICE_PHONE", "phone of the office, mobile or landline, for couriers");
    let region = env.required("SONGDA_OFFICE_REGION", "six-digit GB/T 2260 code of the office's county");
    let province = env.required("SONGDA_OFFICE_PROVINCE", "province of the office, in full");
    let city = env.required("SONGDA_OFFICE_CITY", "city of the office, in full");
    let county = env.required("SONGDA_OFFICE_COUNTY", "county or district of the office, in full");
    let detail = env.required("SONGDA_OFFICE_DETAIL", "street, number and room of the office");
    let postcode = env.optional("SONGDA_OFFICE_POSTCODE", "postcode of the office");
    Some(PostalAddress {
        name: Private::new(name?),
        phone: Private::new(phone?),
        region: region?,
        province: province?,
        city: city?,
        county: county?,
        detail: Private::new(detail?),
        postcode,
    })
}

/// True for a mobile number. Carriers have another field for landlines.
pub(super) fn is_mobile(phone: &str) -> bool {
    phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_settings_are_reported_at_once() {
        let mut env = Env::of([("SONGDA_OFFICE_NAME", "某区政务服务中心")]);
        assert_eq!(office(&mut env), None);
        assert_eq!(env.faults().len(), 6, "{:?}", env.faults());
    }

    #[test]
    fn a_landline_is_not_mobile() {
        assert!(is_mobile("13800000001"));
        assert!(!is_mobile("025-84000000") && !is_mobile("02584000000") && !is_mobile(""));
    }
}
