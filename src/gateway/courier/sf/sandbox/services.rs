//! SF's services, once a call has passed the door.

use serde_json::{Value, json};

use super::{Duplicate, NAME, Refused, Sf, WAY, second};
use crate::sandbox::World;
use crate::sandbox::call::Call;
use crate::sandbox::json::Lenient;
use crate::sandbox::parcels::{Cancelled, Parcel, Recipient, State};

const NOT_FOUND: Refused = Refused("8018", "未获取到订单信息");

impl Sf {
    /// Does what a service does. `None` if there is none of this name.
    pub(super) fn serve(
        &self,
        world: &World,
        call: &Call,
        service: &str,
        said: &Value,
    ) -> Option<Result<Value, Refused>> {
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

    /// By whose phone faults are asked for: the recipient's of the order that the call is about.
    pub(super) fn recipient_of(&self, world: &World, said: &Value) -> String {
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

    fn create(&self, world: &World, said: &Value) -> Result<Value, Refused> {
        let order_no = said.text("orderId");
        let receiver = check_order(said)?;
        if receiver.text("county").contains("不派送") {
            return Ok(not_deliverable(&order_no));
        }
        let recipient = Recipient {
            name: receiver.text("contact"),
            phone: phone(receiver),
            place: format!("{}{}", receiver.text("city"), receiver.text("county")),
            detail: receiver.text("address"),
        };
        let waybill = format!("SF7{:012}", world.next_number() % 1_000_000_000_000);
        let (parcel, new) = world.parcels.book(Parcel::new(NAME, &order_no, waybill, recipient, WAY, world.now()));
        if !new && self.duplicate == Duplicate::Refuse {
            return Err(Refused("8016", "重复下单"));
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

    /// The same as the answer to the order, but for its spelling: that is how SF does it.
    fn search(&self, world: &World, said: &Value) -> Result<Value, Refused> {
        let parcel = world.parcels.of_order(NAME, &said.text("orderId")).ok_or(NOT_FOUND)?;
        if parcel.state == State::Cancelled {
            return Err(Refused("8253", "订单已取消"));
        }
        let result = self.checks.result(&parcel.order_no);
        Ok(json!({
            "orderId": parcel.order_no, "origincode": "519", "destcode": "519", "filterResult": result.to_string(),
            "remark": null, "waybillNoInfoList": waybills(&parcel, result), "returnExtraInfoList": null,
        }))
    }

    fn print(&self, world: &World, call: &Call, said: &Value) -> Result<Value, Refused> {
        let documents = said["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
        if documents.is_empty() || documents.len() > 20 || said.text("templateCode").is_empty() {
            return Err(Refused("4002", "请求报文解析异常"));
        }
        // Labels lie beside the service, wherever the caller found it.
        let prefix = call.full_path.trim_end_matches("/std/service");
        let base = format!("http://{}{prefix}/files", call.header("host"));
        let mut files = Vec::with_capacity(documents.len());
        for document in documents {
            let parcel = world.parcels.of_waybill(NAME, &document.text("masterWaybillNo")).ok_or(NOT_FOUND)?;
            let (token, waybill) = (self.door.label_token(&parcel.waybill), parcel.waybill);
            files.push(json!({ "areaNo": 1, "pageNo": 1, "url": format!("{base}/{waybill}"), "token": token,
                "waybillNo": waybill }));
        }
        let client = said.text("templateCode");
        Ok(json!({ "success": true, "requestId": second(world.now()),
            "obj": { "clientCode": client, "templateCode": client, "fileType": "pdf", "files": files } }))
    }
}

fn check_order(said: &Value) -> Result<&Value, Refused> {
    let cargo_is_named = said["cargoDetails"].get(0).is_some_and(|cargo| !cargo.text("name").is_empty());
    if said.text("orderId").is_empty() {
        return Err(Refused("6135", "未传入订单信息"));
    }
    if !cargo_is_named {
        return Err(Refused("1023", "托寄物名称不能为空"));
    }
    let sender = contact(said, 1).ok_or(Refused("1010", "寄件地址不能为空"))?;
    let receiver = contact(said, 2).ok_or(Refused("1014", "到件地址不能为空"))?;
    let full = |of: &Value| ["province", "city", "county", "address"].iter().all(|name| !of.text(name).is_empty());
    let named = |of: &Value| !of.text("contact").is_empty() || !of.text("company").is_empty();
    match () {
        () if !full(sender) => Err(Refused("1010", "寄件地址不能为空")),
        () if !named(sender) => Err(Refused("1011", "寄件联系人不能为空")),
        () if phone(sender).is_empty() => Err(Refused("1012", "寄件电话不能为空")),
        () if !full(receiver) => Err(Refused("1014", "到件地址不能为空")),
        () if !named(receiver) => Err(Refused("1015", "到件联系人不能为空")),
        () if phone(receiver).is_empty() => Err(Refused("1016", "到件电话不能为空")),
        () if phone(receiver) == "000" => Err(Refused("8196", "电话号码异常")),
        () => Ok(receiver),
    }
}

/// An answer for an order that SF will not deliver. Nothing is booked.
pub(super) fn not_deliverable(order_no: &str) -> Value {
    json!({ "orderId": order_no, "filterResult": 3, "remark": "不在派送范围", "waybillNoInfoList": [] })
}

/// The waybill of an order whose address is found to be deliverable.
fn waybills(parcel: &Parcel, filter_result: u8) -> Value {
    const DELIVERABLE: u8 = 2;
    if filter_result == DELIVERABLE { json!([{ "waybillType": 1, "waybillNo": parcel.waybill }]) } else { json!([]) }
}

fn update(world: &World, said: &Value) -> Result<Value, Refused> {
    let order_no = said.text("orderId");
    match said.text("dealType").as_str() {
        "1" => Err(Refused("8252", "订单已确认")),
        "2" => match world.parcels.cancel(NAME, &order_no) {
            Cancelled::Now => Ok(json!({ "orderId": order_no, "resStatus": 2, "waybillNoInfoList": [] })),
            Cancelled::Before => Err(Refused("8037", "订单已取消")),
            Cancelled::TooLate => Err(Refused("8252", "已收件,不能取消")),
            Cancelled::Absent => Err(NOT_FOUND),
        },
        _ => Err(Refused("4002", "请求报文解析异常")),
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

/// The one contact of a kind: 1 sends, 2 receives.
fn contact(said: &Value, kind: u8) -> Option<&Value> {
    let contacts = said["contactInfoList"].as_array()?;
    contacts.iter().find(|contact| contact.text("contactType") == kind.to_string())
}

fn phone(contact: &Value) -> String {
    let mobile = contact.text("mobile");
    if mobile.is_empty() { contact.text("tel") } else { mobile }
}
