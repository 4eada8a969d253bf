//! A sample order for the adapters' tests.

use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{OrderNo, ParcelOrder};
use crate::domain::kernel::private::Private;

/// Returns the order `SD01`, from an office with a landline to a person with a mobile phone.
pub(super) fn order() -> ParcelOrder {
    let address = |name: &str, phone: &str, detail: &str| PostalAddress {
        name: Private::new(name.to_owned()),
        phone: Private::new(phone.to_owned()),
        region: "320102".to_owned(),
        province: "江苏省".to_owned(),
        city: "南京市".to_owned(),
        county: "玄武区".to_owned(),
        detail: Private::new(detail.to_owned()),
        postcode: None,
    };
    ParcelOrder {
        order_no: number(),
        sender: address("某区政务服务中心", "025-84000000", "示例路1号"),
        recipient: address("张三", "13800000002", "示例街2号3幢401"),
        created_at: "2025-01-02T01:00:00Z".parse().unwrap(),
    }
}

/// The order number of [`order`].
pub(super) fn number() -> OrderNo {
    OrderNo::from_stored("SD01".to_owned())
}
