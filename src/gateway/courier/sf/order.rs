//! The order in SF's form, and SF's answers about an order, at once and on a later look-up.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings::SfTerms;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{OrderNo, ParcelOrder, Waybill};
use crate::gateway::courier::refusal::{CarrierRefusal, RefusalKind};
use crate::gateway::courier::{Booking, CARGO_GRAMS, CARGO_NAME, lenient, office};

/// An order (`EXP_RECE_CREATE_ORDER`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SfOrder<'a> {
    language: &'static str,
    order_id: &'a str,
    express_type_id: u32,
    pay_method: u32,
    monthly_card: &'a str,
    is_return_routelabel: u8,
    is_gen_waybill_no: u8,
    parcel_qty: u8,
    total_weight: f64,
    cargo_details: [Cargo; 1],
    contact_info_list: [Contact<'a>; 2],
}

#[derive(Serialize)]
struct Cargo {
    name: &'static str,
    count: u8,
    unit: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact<'a> {
    contact_type: u8,
    contact: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tel: Option<&'a str>,
    country: &'static str,
    province: &'a str,
    city: &'a str,
    county: &'a str,
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_code: Option<&'a str>,
}

/// Puts an order into SF's form.
pub(super) fn order<'a>(order: &'a ParcelOrder, terms: &'a SfTerms) -> SfOrder<'a> {
    const SENDER: u8 = 1;
    const RECIPIENT: u8 = 2;
    SfOrder {
        language: "zh-CN",
        order_id: order.order_no.as_str(),
        express_type_id: terms.express_type,
        pay_method: terms.payer,
        monthly_card: &terms.monthly_card,
        is_return_routelabel: 1, // needed to print the label ourselves
        is_gen_waybill_no: 1,
        parcel_qty: 1,
        total_weight: f64::from(CARGO_GRAMS) / 1000.0,
        cargo_details: [Cargo { name: CARGO_NAME, count: 1, unit: "份" }],
        contact_info_list: [contact(SENDER, &order.sender), contact(RECIPIENT, &order.recipient)],
    }
}

fn contact(contact_type: u8, address: &PostalAddress) -> Contact<'_> {
    let phone = address.phone.expose().as_str();
    let mobile = office::is_mobile(phone);
    Contact {
        contact_type,
        contact: address.name.expose(),
        mobile: mobile.then_some(phone),
        tel: (!mobile).then_some(phone),
        country: "CN",
        province: &address.province,
        city: &address.city,
        county: &address.county,
        address: address.detail.expose(),
        post_code: address.postcode.as_deref(),
    }
}

/// SF's answer about an order. A look-up spells some names in lower case, and numbers as strings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderReply {
    #[serde(default, alias = "orderid", deserialize_with = "lenient::text")]
    order_id: String,
    #[serde(default, alias = "filterresult", deserialize_with = "lenient::text")]
    filter_result: String,
    #[serde(default, alias = "waybillnoinfolist", deserialize_with = "lenient::list")]
    waybill_no_info_list: Vec<WaybillInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaybillInfo {
    #[serde(default, alias = "waybilltype", deserialize_with = "lenient::text")]
    waybill_type: String,
    #[serde(default, alias = "waybillno", deserialize_with = "lenient::text")]
    waybill_no: String,
}

/// The booking in a reply. A reply about another order is never used.
pub(super) fn booking(content: Value, order_no: &OrderNo) -> Result<Booking, CarrierRefusal> {
    const CHECKED_BY_HAND: &str = "1";
    const NOT_DELIVERABLE: &str = "3";
    const MASTER: &str = "1";
    let reply: OrderReply =
        serde_json::from_value(content).map_err(|_| CarrierRefusal::unclear("success without an order"))?;
    if reply.order_id != order_no.as_str() {
        return Err(CarrierRefusal::unclear("the answer is not about this order"));
    }
    if reply.filter_result == NOT_DELIVERABLE {
        return Err(CarrierRefusal::new(RefusalKind::AddressRefused, "filterResult 3: SF does not deliver there"));
    }
    let master = reply.waybill_no_info_list.into_iter().find(|info| info.waybill_type == MASTER);
    let waybill = master.map(|info| info.waybill_no).filter(|number| !number.is_empty()).map(Waybill::new);
    if waybill.is_none() && reply.filter_result != CHECKED_BY_HAND {
        return Err(CarrierRefusal::unclear("an order without a waybill, and not under check"));
    }
    Ok(Booking { waybill })
}

/// The request that looks up an order by our order number (`EXP_RECE_SEARCH_ORDER_RESP`). Search type 1 is the outward
/// delivery, not a return.
pub(super) fn look_up(order_no: &OrderNo) -> Value {
    json!({"orderId": order_no.as_str(), "searchType": "1", "language": "zh-CN"})
}

/// A cancellation (`EXP_RECE_UPDATE_ORDER`). Confirmed orders, as all of ours are, need their waybill too.
pub(super) fn cancellation(order_no: &OrderNo, waybill: Option<&Waybill>) -> Value {
    const CANCEL: u8 = 2;
    let waybills: Vec<Value> =
        waybill.iter().map(|waybill| json!({"waybillType": 1, "waybillNo": waybill.as_str()})).collect();
    json!({"orderId": order_no.as_str(), "dealType": CANCEL, "waybillNoInfoList": waybills, "language": "zh-CN"})
}

/// SF's answer to a cancellation.
pub(super) fn cancelled(content: &Value) -> Result<(), CarrierRefusal> {
    let status =
        content.get("resStatus").map(|status| status.as_str().map_or_else(|| status.to_string(), str::to_owned));
    match status.as_deref() {
        Some("2") => Ok(()),
        Some("1") => Err(CarrierRefusal::new(RefusalKind::Absent, "resStatus 1: no such order")),
        _ => Err(CarrierRefusal::unclear("success without a resStatus")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: Value) -> Result<Booking, RefusalKind> {
        booking(content, &OrderNo::from_stored("SD01".to_owned())).map_err(|refusal| refusal.kind)
    }

    #[test]
    fn a_booking_is_read_from_both_spellings() {
        let booked = Ok(Booking { waybill: Some(Waybill::new("SF7444000000001")) });
        let waybills = json!([{"waybillType": 2, "waybillNo": "SF7444000000002"},
            {"waybillType": 1, "waybillNo": "SF7444000000001"}]);
        assert_eq!(read(json!({"orderId": "SD01", "filterResult": 2, "waybillNoInfoList": waybills})), booked);
        let waybills = json!([{"waybilltype": "1", "waybillno": "SF7444000000001"}]);
        let found = json!({"orderid": "SD01", "origincode": "025", "filterResult": "2", "waybillNoInfoList": waybills});
        assert_eq!(read(found), booked);
    }

    #[test]
    fn each_filter_result_has_its_meaning() {
        let filtered = |result: Value| read(json!({"orderId": "SD01", "filterResult": result}));
        assert_eq!(filtered(json!(1)), Ok(Booking { waybill: None }));
        assert_eq!(filtered(json!("3")), Err(RefusalKind::AddressRefused));
        assert_eq!(filtered(json!(2)), Err(RefusalKind::Unclear), "deliverable, but without a waybill");
    }

    #[test]
    fn a_reply_about_another_order_is_unclear() {
        assert_eq!(read(json!({"orderId": "SD02", "filterResult": 1})), Err(RefusalKind::Unclear));
        assert_eq!(read(json!({"filterResult": 1})), Err(RefusalKind::Unclear));
        assert_eq!(read(Value::Null), Err(RefusalKind::Unclear));
    }

    #[test]
    fn each_status_of_a_cancellation_has_its_meaning() {
        let kind = |content: Value| cancelled(&content).map_err(|refusal| refusal.kind);
        assert_eq!(kind(json!({"resStatus": 2})), Ok(()));
        assert_eq!(kind(json!({"resStatus": "2"})), Ok(()));
        assert_eq!(kind(json!({"resStatus": "1"})), Err(RefusalKind::Absent));
        assert_eq!(kind(Value::Null), Err(RefusalKind::Unclear));
    }
}
