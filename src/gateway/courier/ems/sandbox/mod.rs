//! Simulates EMS in the sandbox: orders, cancellations, labels and tracks on EMS's open platform, and a callback for
//! every scan.
//!
//! If the recipient's county contains 不派送, EMS does not deliver there. The recipient's phone `000` is refused. If the
//! recipient's name or street contains 无人, the first attempt to deliver fails. `SONGDA_SANDBOX_EMS_DUPLICATE` decides
//! whether a repeated order gets the first waybill again or is refused, because real accounts differ.

mod answer;
pub mod cipher;
mod push;
mod route;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::{Response, Route, post};
use serde_json::{Value, json};

use self::answer::say;
use self::cipher::IssuedKey;
use self::route::{NAME, ROUTE, ROUTE_WITH_NOBODY_HOME, trace};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::call::{TwinCall, endpoint};
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::json::Lenient;
use crate::sandbox::label;
use crate::sandbox::parcels::{Addressee, BookedParcel, Cancelled, OrderState, RepeatedOrder};
use crate::sandbox::{Moved, Twin, World};

pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let sender_no = env.or("SONGDA_SANDBOX_EMS_SENDER_NO", "1100000000000", "customer number of the EMS agreement");
    let authorization = env.or("SONGDA_SANDBOX_EMS_AUTHORIZATION", "sandbox-ems", "authorization code of EMS callers");
    let key =
        env.or::<String>("SONGDA_SANDBOX_EMS_KEY", "SandboxSandboxSandboxQ==", "SM4 key of EMS callers, in base64");
    let repeated = "answer to a repeated EMS order: the `same` waybill, or `refuse`";
    let repeated = env.or("SONGDA_SANDBOX_EMS_DUPLICATE", "same", repeated);
    let key = key.and_then(|text| {
        let key = IssuedKey::read(&text);
        if key.is_none() {
            env.fault("SONGDA_SANDBOX_EMS_KEY is not the base64 text of 16 bytes");
        }
        key
    });
    Some(Arc::new(Ems {
        sender_no: sender_no?,
        authorization: Private::new(authorization?),
        key: key?,
        repeated: repeated?,
    }))
}

struct Ems {
    sender_no: String,
    authorization: Private<String>,
    key: IssuedKey,
    repeated: RepeatedOrder,
}

/// The `retMsg` of a refusal.
type RefusalWords = String;

impl Twin for Ems {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/amp-prod-api/f/amp/api/open", post(endpoint(&self, world, Self::answer)))
            .at("/amp-prod-api/f/amp/api/test", post(endpoint(&self, world, Self::answer)))
    }

    fn client_settings(&self) -> Vec<(&'static str, String)> {
        // The sandbox can serve more calls than the real EMS. So the rate (calls per second) and the slots
        // (simultaneous calls) are higher than their defaults.
        vec![
            ("SONGDA_EMS_SENDER_NO", self.sender_no.clone()),
            ("SONGDA_EMS_AUTHORIZATION", self.authorization.expose().clone()),
            ("SONGDA_EMS_KEY", self.key.text().to_owned()),
            ("SONGDA_EMS_RATE", "1000".to_owned()),
            ("SONGDA_EMS_SLOTS", "64".to_owned()),
        ]
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        for moved in moved {
            world.callbacks.post(self.callbacks(world, moved));
        }
    }
}

impl Ems {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let form = call.form();
        if form.get("authorization") != self.authorization.expose() || form.get("senderNo") != self.sender_no {
            world.counters.count(NAME, "not authorized");
            return say(world.now(), "S01-sim", "授权码或协议客户号无效", None);
        }
        let opened = self.key.open(form.get("logitcsInterface"));
        let Some(said) = opened.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            world.counters.count(NAME, "not readable");
            return say(world.now(), "S02-sim", "解密失败,签名错误", None);
        };
        let api = form.get("apiCode");
        let said = match (api, said.as_array().map(Vec::as_slice)) {
            ("020003", Some([order])) => order,
            ("020003", _) => return say(world.now(), "B01-sim", "报文应为仅含一个订单的数组", None),
            _ => &said,
        };
        let operation: fn(&Self, &World, &Value) -> Result<Value, RefusalWords> = match api {
            "020003" => Self::order,
            "020006" => Self::cancel,
            "010004" => Self::label,
            "040001" => Self::track,
            _ => return say(world.now(), "S03-sim", "接口代码无权限", None),
        };
        let answer = |denial| match denial {
            None => match operation(&self, &world, said) {
                Ok(body) => say(world.now(), "00000", "成功", Some(body)),
                Err(words) => say(world.now(), "B00-sim", &words, None),
            },
            Some(Denial::Throttled) => say(world.now(), "S09-sim", "请求过于频繁", None),
            Some(Denial::ExpiredToken) => say(world.now(), "S01-sim", "授权码已过期", None),
            Some(Denial::UserRefused) => say(world.now(), "B00-sim", "收件地址超范围", None),
            Some(Denial::UnknownNumber) => say(world.now(), "B00-sim", "收件人电话异常", None),
        };
        let recipient = recipient_of(&world, said);
        world.perform(CallTarget { gateway: NAME, operation: api, recipient: &recipient }, answer).await
    }

    fn order(&self, world: &World, order: &Value) -> Result<Value, RefusalWords> {
        check_order(order)?;
        let receiver = &order["receiver"];
        let recipient = Addressee {
            name: receiver.text("name"),
            phone: phone(receiver),
            place: format!("{}{}", receiver.text("city"), receiver.text("county")),
            detail: receiver.text("address"),
        };
        let nobody_home = recipient.name.contains("无人") || recipient.detail.contains("无人");
        let route = if nobody_home { ROUTE_WITH_NOBODY_HOME } else { ROUTE };
        let waybill = format!("12{:011}", world.next_number() % 100_000_000_000);
        let order_no = order.text("logisticsOrderNo");
        let order = BookedParcel::new(NAME, order_no, waybill, recipient, route, world.now());
        let (parcel, new) = world.parcels.book(order);
        if !new && (self.repeated == RepeatedOrder::Refuse || parcel.state == OrderState::Cancelled) {
            return Err("物流订单号重复".to_owned());
        }
        Ok(json!({ "waybillNo": parcel.waybill }))
    }

    fn cancel(&self, world: &World, said: &Value) -> Result<Value, RefusalWords> {
        match world.parcels.cancel(NAME, &said.text("logisticsOrderNo")) {
            Cancelled::Now => Ok(Value::Null),
            Cancelled::Before => Err("订单已取消".to_owned()),
            Cancelled::TooLate => Err("订单已收寄,不能取消".to_owned()),
            Cancelled::Absent => Err("订单不存在".to_owned()),
        }
    }

    fn label(&self, world: &World, said: &Value) -> Result<Value, RefusalWords> {
        let parcel = world.parcels.of_waybill(NAME, &said.text("waybillNo"));
        let parcel = parcel.ok_or_else(|| "运单号不存在".to_owned())?;
        Ok(STANDARD.encode(label::pdf(&["EMS", &parcel.waybill, &parcel.order_no])).into())
    }

    fn track(&self, world: &World, said: &Value) -> Result<Value, RefusalWords> {
        let parcel = world.parcels.of_waybill(NAME, &said.text("waybillNo"));
        let parcel = parcel.filter(|parcel| !parcel.scans.is_empty()).ok_or_else(|| "查无轨迹信息".to_owned())?;
        let items: Vec<_> = parcel.scans.iter().map(|scan| trace(&parcel, scan)).collect();
        Ok(json!({ "responseItems": items }))
    }
}

/// Returns the recipient's phone, because some phone numbers make the sandbox simulate a fault (see
/// `sandbox/faults.rs`). An order contains the phone. Any other call contains an order number or a waybill number, by
/// which this function finds the parcel and its recipient.
fn recipient_of(world: &World, said: &Value) -> String {
    if let Some(receiver) = said.get("receiver") {
        return phone(receiver);
    }
    let by_order = world.parcels.of_order(NAME, &said.text("logisticsOrderNo"));
    let parcel = by_order.or_else(|| world.parcels.of_waybill(NAME, &said.text("waybillNo")));
    parcel.map(|parcel| parcel.recipient.phone).unwrap_or_default()
}

fn check_order(order: &Value) -> Result<(), RefusalWords> {
    let missing =
        |of: &Value, names: &[&str]| names.iter().find(|name| of.text(name).is_empty()).map(|n| (*n).to_owned());
    let own = ["createdTime", "ecommerceUserId", "logisticsOrderNo", "contentsAttribute", "bizProductNo"];
    if let Some(name) = missing(order, &own) {
        return Err(format!("缺少字段 {name}"));
    }
    if order.text("logisticsOrderNo").len() > 50 {
        return Err("logisticsOrderNo 过长".to_owned());
    }
    for party in ["sender", "receiver"] {
        let of = order.get(party).unwrap_or(&Value::Null);
        if let Some(name) = missing(of, &["name", "prov", "city", "county", "address"]) {
            return Err(format!("{party} 缺少字段 {name}"));
        }
        if phone(of).is_empty() {
            return Err(format!("{party} 缺少电话"));
        }
    }
    if order["receiver"].text("county").contains("不派送") {
        return Err("收件地址超范围".to_owned());
    }
    if phone(&order["receiver"]) == "000" {
        return Err("收件人电话异常".to_owned());
    }
    Ok(())
}

fn phone(party: &Value) -> String {
    let mobile = party.text("mobile");
    if mobile.is_empty() { party.text("phone") } else { mobile }
}

#[cfg(test)]
mod tests;
