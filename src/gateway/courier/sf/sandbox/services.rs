//! The services behind SF's platform. A service gets only calls that passed the platform's checks (see
//! `caller_check.rs`).

use serde_json::{Value, json};

use super::Sf;
use super::answer::ServiceRefusal;
use super::route::{NAME, ROUTE};
use crate::sandbox::World;
use crate::sandbox::call::TwinCall;
use crate::sandbox::json::Lenient;
use crate::sandbox::parcels::{Addressee, BookedParcel, Cancelled, OrderState, RepeatedOrder};
use crate::sandbox::written_time::second;

const NOT_FOUND: ServiceRefusal = ServiceRefusal("8018", "未获取到订单信息");

impl Sf {
    /// Runs a service; `None` if there is no service with this name.
    pub(super) fn serve(
        &self,
        world: &World,
        call: &TwinCall,
        service: &str,
        said: &Value,
    ) -> Option<Result<Value, ServiceRefusal>> {
        Some(match service {
            "EXP_RECE_CREATE_ORDER" => self.create(world, said),
            "EXP_RECE_SEARCH_ORDER_RESP" => self.search(world, said),
            "EXP_RECE_UPDATE_ORDER" => update(world, said),
            "EXP_RECE_SEARCH_ROUTES" => Ok(routes(world, said)),
            "EXP_RECE_FILTER_ORDER_BSP" => Ok(filter(said)),
            "COM_RECE_CLOUD_PRINT_WAYBILLS" => self.print(world, call, said),
            _ => return None,
        })
    }

    /// Returns the recipient's phone, because some phone numbers make the sandbox simulate a fault (see
    /// `sandbox/faults.rs`). An order contains the phone. Any other call contains an order number or a waybill number,
    /// by which this function finds the parcel and its recipient.
    pub(super) fn recipient_of(world: &World, said: &Value) -> String {
        if let Some(receiver) = contact(said, 2) {
            return phone(receiver);
        }
        let tracked = said["trackingNumber"].get(0).and_then(Value::as_str).unwrap_or_default();
        let printed = said["documents"].get(0).map(|document| document.text("masterWaybillNo")).unwrap_or_default();
        let parcel = world
            .parcels
            .of_order(NAME, &said.text("orderId"))
            .or_else(|| world.parcels.of_waybill(NAME, tracked))
            .or_else(|| world.parcels.of_waybill(NAME, &printed));
        parcel.map(|parcel| parcel.recipient.phone).unwrap_or_default()
    }

    /// Builds the answer to an order if SF does not deliver to the recipient's address. No order is created.
    pub(super) fn not_deliverable(order_no: &str) -> Value {
        json!({ "orderId": order_no, "filterResult": 3, "remark": "不在派送范围", "waybillNoInfoList": [] })
    }

    fn create(&self, world: &World, said: &Value) -> Result<Value, ServiceRefusal> {
        let order_no = said.text("orderId");
        let receiver = check_order(said)?;
        if receiver.text("county").contains("不派送") {
            return Ok(Self::not_deliverable(&order_no));
        }
        let recipient = Addressee {
            name: receiver.text("contact"),
            phone: phone(receiver),
            place: format!("{}{}", receiver.text("city"), receiver.text("county")),
            detail: receiver.text("address"),
        };
        let waybill = format!("SF7{:012}", world.next_number() % 1_000_000_000_000);
        let order = BookedParcel::new(NAME, &order_no, waybill, recipient, ROUTE, world.now());
        let (parcel, new) = world.parcels.book(order);
        if !new && self.repeated == RepeatedOrder::Refuse {
            return Err(ServiceRefusal("8016", "重复下单"));
        }
        if receiver.text("address").contains("待核") {
            self.checks.begin(&order_no);
        }
        let result = self.checks.result(&order_no);
        Ok(json!({
            "orderId": order_no, "originCode": "519", "destCode": "519", "filterResult": result, "remark": null,
            "waybillNoInfoList": waybills(&parcel, result), "routeLabelInfo": [],
        }))
    }

    /// Looks up an order. The answer has the same content as that of `create` but, as in SF's real answers, some field
    /// names are in lower case and numbers are strings.
    fn search(&self, world: &World, said: &Value) -> Result<Value, ServiceRefusal> {
        let parcel = world.parcels.of_order(NAME, &said.text("orderId")).ok_or(NOT_FOUND)?;
        if parcel.state == OrderState::Cancelled {
            return Err(ServiceRefusal("8253", "订单已取消"));
        }
        let result = self.checks.result(&parcel.order_no);
        Ok(json!({
            "orderId": parcel.order_no, "origincode": "519", "destcode": "519", "filterResult": result.to_string(),
            "remark": null, "waybillNoInfoList": waybills(&parcel, result), "returnExtraInfoList": null,
        }))
    }

    fn print(&self, world: &World, call: &TwinCall, said: &Value) -> Result<Value, ServiceRefusal> {
        let documents = said["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
        if documents.is_empty() || documents.len() > 20 || said.text("templateCode").is_empty() {
            return Err(ServiceRefusal("4002", "请求报文解析异常"));
        }
        // The URLs of the label files begin with the address that the caller used for this call.
        let prefix = call.full_path.trim_end_matches("/std/service");
        let base = format!("http://{}{prefix}/files", call.header("host"));
        let mut files = Vec::with_capacity(documents.len());
        for document in documents {
            let parcel = world.parcels.of_waybill(NAME, &document.text("masterWaybillNo")).ok_or(NOT_FOUND)?;
            let token = self.check.label_token(&parcel.waybill);
            let waybill = parcel.waybill;
            files.push(json!({ "areaNo": 1, "pageNo": 1, "url": format!("{base}/{waybill}"), "token": token,
                "waybillNo": waybill }));
        }
        let client = said.text("templateCode");
        Ok(json!({ "success": true, "requestId": second(world.now()),
            "obj": { "clientCode": client, "templateCode": client, "fileType": "pdf", "files": files } }))
    }
}

fn check_order(said: &Value) -> Result<&Value, ServiceRefusal> {
    let cargo_is_named = said["cargoDetails"].get(0).is_some_and(|cargo| !cargo.text("name").is_empty());
    if said.text("orderId").is_empty() {
        return Err(ServiceRefusal("6135", "未传入订单信息"));
    }
    if !cargo_is_named {
        return Err(ServiceRefusal("1023", "托寄物名称不能为空"));
    }
    let sender = contact(said, 1).ok_or(ServiceRefusal("1010", "寄件地址不能为空"))?;
    let receiver = contact(said, 2).ok_or(ServiceRefusal("1014", "到件地址不能为空"))?;
    let full = |of: &Value| ["province", "city", "county", "address"].iter().all(|name| !of.text(name).is_empty());
    let named = |of: &Value| !of.text("contact").is_empty() || !of.text("company").is_empty();
    match () {
        () if !full(sender) => Err(ServiceRefusal("1010", "寄件地址不能为空")),
        () if !named(sender) => Err(ServiceRefusal("1011", "寄件联系人不能为空")),
        () if phone(sender).is_empty() => Err(ServiceRefusal("1012", "寄件电话不能为空")),
        () if !full(receiver) => Err(ServiceRefusal("1014", "到件地址不能为空")),
        () if !named(receiver) => Err(ServiceRefusal("1015", "到件联系人不能为空")),
        () if phone(receiver).is_empty() => Err(ServiceRefusal("1016", "到件电话不能为空")),
        () if phone(receiver) == "000" => Err(ServiceRefusal("8196", "电话号码异常")),
        () => Ok(receiver),
    }
}

/// Returns the waybills for an answer: an empty list unless SF delivers to the address.
fn waybills(parcel: &BookedParcel, filter_result: u8) -> Value {
    const DELIVERABLE: u8 = 2;
    if filter_result == DELIVERABLE { json!([{ "waybillType": 1, "waybillNo": parcel.waybill }]) } else { json!([]) }
}

fn update(world: &World, said: &Value) -> Result<Value, ServiceRefusal> {
    let order_no = said.text("orderId");
    match said.text("dealType").as_str() {
        "1" => Err(ServiceRefusal("8252", "订单已确认")),
        "2" => match world.parcels.cancel(NAME, &order_no) {
            Cancelled::Now => Ok(json!({ "orderId": order_no, "resStatus": 2, "waybillNoInfoList": [] })),
            Cancelled::Before => Err(ServiceRefusal("8037", "订单已取消")),
            Cancelled::TooLate => Err(ServiceRefusal("8252", "已收件,不能取消")),
            Cancelled::Absent => Err(NOT_FOUND),
        },
        _ => Err(ServiceRefusal("4002", "请求报文解析异常")),
    }
}

fn routes(world: &World, said: &Value) -> Value {
    let by_order = said.text("trackingType") == "2";
    let numbers = said["trackingNumber"].as_array().map(Vec::as_slice).unwrap_or_default();
    let end_of_phone = said.text("checkPhoneNo");
    let answers = numbers.iter().filter_map(Value::as_str).take(10).map(|number| {
        let parcel = if by_order { world.parcels.of_order(NAME, number) } else { world.parcels.of_waybill(NAME, number) };
        let parcel = parcel.filter(|parcel| parcel.recipient.phone.ends_with(&end_of_phone));
        let waybill = parcel.as_ref().map_or(number, |parcel| parcel.waybill.as_str());
        let routes = parcel.iter().flat_map(|parcel| &parcel.scans).map(|scan| {
            json!({ "acceptTime": second(scan.at), "acceptAddress": scan.place, "remark": scan.text, "opCode": scan.code })
        });
        json!({ "mailNo": waybill, "routes": routes.collect::<Vec<_>>() })
    });
    json!({ "routeResps": answers.collect::<Vec<_>>() })
}

fn filter(said: &Value) -> Value {
    let deliverable = !said.to_string().contains("不派送");
    json!({ "filterResult": if deliverable { 2 } else { 3 }, "originCode": "519", "destCode": "519" })
}

/// Finds a contact by its kind: 1 is the sender, 2 the recipient.
fn contact(said: &Value, kind: u8) -> Option<&Value> {
    let contacts = said["contactInfoList"].as_array()?;
    contacts.iter().find(|contact| contact.text("contactType") == kind.to_string())
}

fn phone(contact: &Value) -> String {
    let mobile = contact.text("mobile");
    if mobile.is_empty() { contact.text("tel") } else { mobile }
}
