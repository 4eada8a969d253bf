//! Builds SF's requests for an order, a look-up and a cancellation, and reads the answers to them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::settings::SfSettings;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{OrderNo, ParcelOrder, Waybill};
use crate::gateway::courier::lenient::{self, Text};
use crate::gateway::courier::refusal::{CarrierRefusal, RefusalKind};
use crate::gateway::courier::{Booking, CARGO_GRAMS, CARGO_NAME, office};

/// Builds the request that orders a parcel (`EXP_RECE_CREATE_ORDER`).
pub(super) fn order(order: &ParcelOrder, settings: &SfSettings) -> Value {
    const SENDER: u8 = 1;
    const RECIPIENT: u8 = 2;
    json!({
        "language": "zh-CN",
        "orderId": order.order_no.as_str(),
        "expressTypeId": settings.express_type,
        "payMethod": settings.payer,
        "monthlyCard": settings.monthly_card,
        "isReturnRoutelabel": 1, // needed to print the label ourselves
        "isGenWaybillNo": 1,
        "parcelQty": 1,
        "totalWeight": f64::from(CARGO_GRAMS) / 1000.0,
        "cargoDetails": [{"name": CARGO_NAME, "count": 1, "unit": "份"}],
        "contactInfoList": [contact(SENDER, &order.sender), contact(RECIPIENT, &order.recipient)],
    })
}

fn contact(contact_type: u8, address: &PostalAddress) -> Value {
    let phone = address.phone.expose();
    let mut contact = json!({
        "contactType": contact_type,
        "contact": address.name.expose(),
        "country": "CN",
        "province": address.province,
        "city": address.city,
        "county": address.county,
        "address": address.detail.expose(),
    });
    contact[if office::is_mobile(phone) { "mobile" } else { "tel" }] = json!(phone);
    if let Some(postcode) = &address.postcode {
        contact["postCode"] = json!(postcode);
    }
    contact
}

/// SF's answer to an order or a look-up. The answer to a look-up has some field names in lower case, and numbers as
/// strings.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OrderReply {
    #[serde(alias = "orderid")]
    order_id: Text,
    #[serde(alias = "filterresult")]
    filter_result: Text,
    #[serde(alias = "waybillnoinfolist", deserialize_with = "lenient::list")]
    waybill_no_info_list: Vec<WaybillInfo>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WaybillInfo {
    #[serde(alias = "waybilltype")]
    waybill_type: Text,
    #[serde(alias = "waybillno")]
    waybill_no: Text,
}

/// Reads SF's answer to an order or a look-up. An answer about another order number counts as unclear.
pub(super) fn booking(content: Value, order_no: &OrderNo) -> Result<Booking, CarrierRefusal> {
    const CHECKED_BY_HAND: &str = "1";
    const NOT_DELIVERABLE: &str = "3";
    const MASTER: &str = "1";
    let reply: OrderReply =
        serde_json::from_value(content).map_err(|_| CarrierRefusal::unclear("success without an order"))?;
    if reply.order_id.as_str() != order_no.as_str() {
        return Err(CarrierRefusal::unclear("the answer is not about this order"));
    }
    if reply.filter_result.as_str() == NOT_DELIVERABLE {
        return Err(CarrierRefusal::new(RefusalKind::AddressRefused, "filterResult 3: SF does not deliver there"));
    }
    let master = reply.waybill_no_info_list.into_iter().find(|info| info.waybill_type.as_str() == MASTER);
    let waybill = master.map(|info| info.waybill_no.0).filter(|number| !number.is_empty()).map(Waybill::new);
    if waybill.is_none() && reply.filter_result.as_str() != CHECKED_BY_HAND {
        return Err(CarrierRefusal::unclear("an order without a waybill, and not under check"));
    }
    Ok(Booking { waybill })
}

/// Builds the request that looks up an order by our order number (`EXP_RECE_SEARCH_ORDER_RESP`). Search type 1 means
/// the delivery, not a return.
pub(super) fn look_up(order_no: &OrderNo) -> Value {
    json!({"orderId": order_no.as_str(), "searchType": "1", "language": "zh-CN"})
}

/// Builds the request that cancels an order (`EXP_RECE_UPDATE_ORDER`). To cancel a confirmed order, SF needs its
/// waybill too, and all our orders are confirmed.
pub(super) fn cancellation(order_no: &OrderNo, waybill: Option<&Waybill>) -> Value {
    const CANCEL: u8 = 2;
    let waybills: Vec<Value> =
        waybill.iter().map(|waybill| json!({"waybillType": 1, "waybillNo": waybill.as_str()})).collect();
    json!({"orderId": order_no.as_str(), "dealType": CANCEL, "waybillNoInfoList": waybills, "language": "zh-CN"})
}

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
