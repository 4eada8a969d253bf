//! The order (020003) and its cancellation (020006), as EMS reads them.

use serde::Serialize;
use serde_json::Value;

use super::settings::Terms;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::delivery::parcel::{OrderNo, ParcelOrder, Waybill};
use crate::gateway::courier::{Booking, CARGO_GRAMS, CARGO_NAME, beijing_time, office};

/// A list of one order: EMS takes lists only.
pub(super) type Orders<'a> = [Order<'a>; 1];

/// An order. Codes are EMS's; those that are not settings are the same for every parcel of an office.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order<'a> {
    created_time: String,
    ecommerce_user_id: &'a str,
    sender_no: &'a str,
    logistics_order_no: &'a str,
    contents_attribute: &'static str,
    biz_product_no: &'a str,
    weight: String,
    insurance_flag: &'static str,
    deliver_type: &'static str,
    payment_mode: &'a str,
    cod_flag: &'static str,
    receipt_flag: &'a str,
    virtual_num_flag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'a str>,
    sender: Party<'a>,
    receiver: Party<'a>,
    cargos: [Cargo; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    prov: &'a str,
    city: &'a str,
    county: &'a str,
    address: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cargo {
    cargo_name: &'static str,
}

/// Words an order for EMS.
pub(super) fn orders<'a>(order: &'a ParcelOrder, sender_no: &'a str, terms: &'a Terms) -> Orders<'a> {
    const DOCUMENT: &str = "1";
    const NOT_INSURED: &str = "1";
    const TO_THE_DOOR: &str = "2";
    const NO_CASH_ON_DELIVERY: &str = "9";
    [Order {
        created_time: beijing_time::write(order.created_at),
        ecommerce_user_id: &terms.customer,
        sender_no,
        logistics_order_no: order.order_no.as_str(),
        contents_attribute: DOCUMENT,
        biz_product_no: &terms.product,
        weight: CARGO_GRAMS.to_string(),
        insurance_flag: NOT_INSURED,
        deliver_type: TO_THE_DOOR,
        payment_mode: &terms.payer,
        cod_flag: NO_CASH_ON_DELIVERY,
        receipt_flag: &terms.receipt,
        virtual_num_flag: &terms.virtual_number,
        project_id: terms.project.as_deref(),
        sender: party(&order.sender),
        receiver: party(&order.recipient),
        cargos: [Cargo { cargo_name: CARGO_NAME }],
    }]
}

fn party(address: &PostalAddress) -> Party<'_> {
    let phone = address.phone.expose().as_str();
    let mobile = office::is_mobile(phone);
    Party {
        name: address.name.expose(),
        post_code: address.postcode.as_deref(),
        mobile: mobile.then_some(phone),
        phone: (!mobile).then_some(phone),
        prov: &address.province,
        city: &address.city,
        county: &address.county,
        address: address.detail.expose(),
    }
}

/// The booking in the answer to an order; `None` if it names no waybill.
pub(super) fn booking(content: &Value) -> Option<Booking> {
    let order = content.get(0).unwrap_or(content);
    let waybill = match order.get("waybillNo")? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!waybill.is_empty()).then(|| Booking { waybill: Some(Waybill::new(waybill)) })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancellation<'a> {
    logistics_order_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waybill_no: Option<&'a str>,
    cancel_reason: &'static str,
}

/// Words a cancellation for EMS.
pub(super) fn cancellation<'a>(order_no: &'a OrderNo, waybill: Option<&'a Waybill>) -> Cancellation<'a> {
    Cancellation {
        logistics_order_no: order_no.as_str(),
        waybill_no: waybill.map(Waybill::as_str),
        cancel_reason: "寄件方取消",
    }
}
