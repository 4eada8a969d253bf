//! Builds the contents of orders (interface 020003) and cancellations (020006), and reads EMS's answers to orders.

use serde_json::{Value, json};

use super::settings::EmsSettings;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{OrderNo, ParcelOrder, Waybill};
use crate::gateway::courier::{Booking, CARGO_GRAMS, CARGO_NAME, beijing_time, office};

/// Builds the content of an order request, which is a list of one order.
pub(super) fn orders(order: &ParcelOrder, settings: &EmsSettings) -> Value {
    const DOCUMENT: &str = "1";
    const NOT_INSURED: &str = "1";
    const TO_THE_DOOR: &str = "2";
    const NO_CASH_ON_DELIVERY: &str = "9";
    let mut form = json!({
        "createdTime": beijing_time::write(order.created_at),
        "ecommerceUserId": settings.customer,
        "senderNo": settings.sender_no,
        "logisticsOrderNo": order.order_no.as_str(),
        "contentsAttribute": DOCUMENT,
        "bizProductNo": settings.product,
        "weight": CARGO_GRAMS.to_string(),
        "insuranceFlag": NOT_INSURED,
        "deliverType": TO_THE_DOOR,
        "paymentMode": settings.payer,
        "codFlag": NO_CASH_ON_DELIVERY,
        "receiptFlag": settings.receipt,
        "virtualNumFlag": settings.virtual_number,
        "sender": party(&order.sender),
        "receiver": party(&order.recipient),
        "cargos": [{"cargoName": CARGO_NAME}],
    });
    if let Some(project) = &settings.project {
        form["projectId"] = json!(project);
    }
    json!([form])
}

fn party(address: &PostalAddress) -> Value {
    let phone = address.phone.expose();
    let mut party = json!({
        "name": address.name.expose(),
        "prov": address.province,
        "city": address.city,
        "county": address.county,
        "address": address.detail.expose(),
    });
    party[if office::is_mobile(phone) { "mobile" } else { "phone" }] = json!(phone);
    if let Some(postcode) = &address.postcode {
        party["postCode"] = json!(postcode);
    }
    party
}

/// Reads the waybill from the answer to an order; `None` if the answer contains no waybill.
pub(super) fn booking(content: &Value) -> Option<Booking> {
    let order = content.get(0).unwrap_or(content);
    let waybill = match order.get("waybillNo")? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!waybill.is_empty()).then(|| Booking { waybill: Some(Waybill::new(waybill)) })
}

pub(super) fn cancellation(order_no: &OrderNo, waybill: Option<&Waybill>) -> Value {
    let mut form = json!({"logisticsOrderNo": order_no.as_str(), "cancelReason": "寄件方取消"});
    if let Some(waybill) = waybill {
        form["waybillNo"] = json!(waybill.as_str());
    }
    form
}
