//! EMS (邮政特快专递), played: the open platform's form with its SM4 wrapping; orders, cancellations, labels and
//! tracks; and the push of every scan.
//!
//! A recipient's county that contains 不派送 is out of range; the phone `000` is refused; a name or an address that
//! contains 无人 has its first delivery fail. A repeated order gets the first waybill again, or is refused, as
//! `SONGDA_SANDBOX_EMS_DUPLICATE` says: accounts differ in this.

pub mod cipher;
mod push;

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::StatusCode;
use poem::{Response, Route, post};
use serde_json::{Value, json};

use self::cipher::Key;
use crate::domain::kernel::clock::{Instant, beijing, random_bytes};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::call::{self, Call, endpoint};
use crate::sandbox::faults::Refusal;
use crate::sandbox::json::Lenient;
use crate::sandbox::label;
use crate::sandbox::parcels::{Cancelled, Parcel, Recipient, State, Station};
use crate::sandbox::world::Target;
use crate::sandbox::{Moved, Twin, World};

const NAME: &str = "ems";

const WAY: &[Station] = &[
    ("203", "已收寄"),
    ("345", "离开收寄局"),
    ("389", "到达处理中心"),
    ("954", "离开处理中心"),
    ("305", "到达寄达地处理中心"),
    ("306", "离开寄达地处理中心"),
    ("702", "投递员正在派件"),
    ("704", "已妥投,本人签收"),
];

const WAY_WITH_NOBODY_HOME: &[Station] = &[
    WAY[0],
    WAY[1],
    WAY[2],
    WAY[3],
    WAY[4],
    WAY[5],
    WAY[6],
    ("705", "未妥投,收件人不在,择日再投"),
    ("702", "投递员再次派件"),
    WAY[7],
];

/// What a repeated order number gets.
#[derive(Clone, Copy, PartialEq)]
enum Duplicate {
    Same,
    Refuse,
}

impl FromStr for Duplicate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "same" => Ok(Self::Same),
            "refuse" => Ok(Self::Refuse),
            _ => Err(()),
        }
    }
}

/// Makes the twin.
pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let sender_no = env.or("SONGDA_SANDBOX_EMS_SENDER_NO", "1100000000000", "customer number of the EMS agreement");
    let authorization = env.or("SONGDA_SANDBOX_EMS_AUTHORIZATION", "sandbox-ems", "authorization code of EMS callers");
    let key =
        env.or::<String>("SONGDA_SANDBOX_EMS_KEY", "R292VGVzdFNtNEtleTAxNg==", "SM4 key of EMS callers, in base64");
    let callback_secret =
        env.or("SONGDA_SANDBOX_EMS_CALLBACK_SECRET", "sandbox", "secret last part of the path of EMS's callbacks");
    let duplicate =
        env.or("SONGDA_SANDBOX_EMS_DUPLICATE", "same", "what a repeated EMS order gets: `same` waybill, or `refuse`");
    let key = key.and_then(|text| {
        let key = Key::read(&text);
        if key.is_none() {
            env.fault("SONGDA_SANDBOX_EMS_KEY is not the base64 text of 16 bytes");
        }
        key
    });
    Some(Arc::new(Ems {
        sender_no: sender_no?,
        authorization: Private::new(authorization?),
        key: key?,
        callback_secret: Private::new(callback_secret?),
        duplicate: duplicate?,
    }))
}

struct Ems {
    sender_no: String,
    authorization: Private<String>,
    key: Key,
    callback_secret: Private<String>,
    duplicate: Duplicate,
}

/// A `retMsg` other than success.
type Refused = String;

impl Twin for Ems {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/amp-prod-api/f/amp/api/open", post(endpoint(&self, world, Self::answer)))
            .at("/amp-prod-api/f/amp/api/test", post(endpoint(&self, world, Self::answer)))
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        for moved in moved {
            world.callbacks.post(self.push(moved, world.now()));
        }
    }
}

impl Ems {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
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
        match form.get("apiCode") {
            "020003" => self.order(&world, &said).await,
            "020006" => self.cancel(&world, &said).await,
            "010004" => self.label(&world, &said).await,
            "040001" => self.track(&world, &said).await,
            _ => say(world.now(), "S03-sim", "接口代码无权限", None),
        }
    }

    async fn order(&self, world: &World, said: &Value) -> Response {
        let order = match said.as_array().map(Vec::as_slice) {
            Some([order]) => order,
            _ => return say(world.now(), "B01-sim", "报文应为仅含一个订单的数组", None),
        };
        let phone = phone(order.get("receiver").unwrap_or(&Value::Null));
        self.perform(world, "020003", &phone, || self.book(world, order)).await
    }

    fn book(&self, world: &World, order: &Value) -> Result<Value, Refused> {
        check_order(order)?;
        let (order_no, receiver) = (order.text("logisticsOrderNo"), &order["receiver"]);
        let recipient = Recipient {
            name: receiver.text("name"),
            phone: phone(receiver),
            place: format!("{}{}", receiver.text("city"), receiver.text("county")),
            detail: receiver.text("address"),
        };
        let nobody_home = recipient.name.contains("无人") || recipient.detail.contains("无人");
        let way = if nobody_home { WAY_WITH_NOBODY_HOME } else { WAY };
        let waybill = format!("12{:011}", world.next_number() % 100_000_000_000);
        let (parcel, new) = world.parcels.book(Parcel::new(NAME, order_no, waybill, recipient, way, world.now()));
        if !new && (self.duplicate == Duplicate::Refuse || parcel.state == State::Cancelled) {
            return Err("物流订单号重复".to_owned());
        }
        Ok(json!({ "waybillNo": parcel.waybill }))
    }

    async fn cancel(&self, world: &World, said: &Value) -> Response {
        let order_no = said.text("logisticsOrderNo");
        let known = world.parcels.of_order(NAME, &order_no);
        let phone = known.map(|parcel| parcel.recipient.phone).unwrap_or_default();
        let act = || match world.parcels.cancel(NAME, &order_no) {
            Cancelled::Now => Ok(Value::Null),
            Cancelled::Before => Err("订单已取消".to_owned()),
            Cancelled::TooLate => Err("订单已收寄,不能取消".to_owned()),
            Cancelled::Absent => Err("订单不存在".to_owned()),
        };
        self.perform(world, "020006", &phone, act).await
    }

    async fn label(&self, world: &World, said: &Value) -> Response {
        let parcel = world.parcels.of_waybill(NAME, &said.text("waybillNo"));
        let phone = parcel.as_ref().map(|parcel| parcel.recipient.phone.clone()).unwrap_or_default();
        let act = || {
            let parcel = parcel.ok_or_else(|| "运单号不存在".to_owned())?;
            Ok(STANDARD.encode(label::pdf(&["EMS", &parcel.waybill, &parcel.order_no])).into())
        };
        self.perform(world, "010004", &phone, act).await
    }

    async fn track(&self, world: &World, said: &Value) -> Response {
        let parcel = world.parcels.of_waybill(NAME, &said.text("waybillNo"));
        let phone = parcel.as_ref().map(|parcel| parcel.recipient.phone.clone()).unwrap_or_default();
        let act = || {
            let parcel = parcel.filter(|parcel| !parcel.scans.is_empty()).ok_or_else(|| "查无轨迹信息".to_owned())?;
            let items: Vec<_> = parcel.scans.iter().map(|scan| push::trace(&parcel, scan)).collect();
            Ok(json!({ "responseItems": items }))
        };
        self.perform(world, "040001", &phone, act).await
    }

    async fn perform(
        &self,
        world: &World,
        operation: &'static str,
        phone: &str,
        act: impl FnOnce() -> Result<Value, Refused> + Send,
    ) -> Response {
        let answer = |refusal| match refusal {
            None => match act() {
                Ok(body) => say(world.now(), "00000", "成功", Some(body)),
                Err(words) => say(world.now(), "B00-sim", &words, None),
            },
            Some(Refusal::Throttled) => say(world.now(), "S09-sim", "请求过于频繁", None),
            Some(Refusal::ExpiredToken) => say(world.now(), "S01-sim", "授权码已过期", None),
            Some(Refusal::UserRefused) => say(world.now(), "B00-sim", "收件地址超范围", None),
            Some(Refusal::UnknownNumber) => say(world.now(), "B00-sim", "收件人电话异常", None),
        };
        world.perform(Target { gateway: NAME, operation, recipient: phone }, answer).await
    }
}

fn check_order(order: &Value) -> Result<(), Refused> {
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

/// EMS's envelope: the status is always 200, and the body is JSON inside a string.
fn say(now: Instant, code: &str, words: &str, body: Option<Value>) -> Response {
    let body = match body {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) => Value::String(text),
        Some(other) => Value::String(other.to_string()),
    };
    let answer = json!({
        "serialNo": serial_number(), "retCode": code, "retMsg": words, "retBody": body,
        "retDate": second(now), "success": code == "00000",
    });
    call::json(StatusCode::OK, &answer)
}

fn serial_number() -> String {
    hex::encode(random_bytes::<16>())
}

fn second(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
