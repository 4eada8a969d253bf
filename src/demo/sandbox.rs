//! A client of the sandbox's own API: the messages that phones received, the parcels that carriers hold, and faults.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::Caller;
use super::mishap::{Mishap, Played, check};

#[derive(Clone)]
pub struct SandboxClient {
    caller: Caller,
}

/// Some of the statuses that messages show (`status` in `catalog/templates.toml`).
pub mod news {
    pub const GRANTED: &str = "准予办理";
    pub const DENIED: &str = "不予办理";
    pub const DELIVERED: &str = "已经签收";
}

/// A message on a phone.
#[derive(Debug, Clone, Deserialize)]
pub struct ShownMessage {
    pub channel: String,
    pub fields: BTreeMap<String, String>,
    pub copies: u32,
}

impl ShownMessage {
    /// True if a field of the message has this text.
    pub fn says(&self, text: &str) -> bool {
        self.fields.values().any(|field| field == text)
    }

    /// Returns the texts of the fields, without the time and the page.
    pub fn words(&self) -> BTreeSet<&str> {
        let texts = self.fields.iter().filter(|(field, _)| !field.starts_with("time") && *field != "page");
        texts.map(|(_, value)| value.as_str()).collect()
    }
}

/// A parcel at a carrier.
#[derive(Debug, Clone, Deserialize)]
pub struct HeldParcel {
    pub carrier: String,
    pub order_no: String,
    pub waybill: String,
    /// `live` or `cancelled`.
    pub state: String,
    pub recipient: HeldRecipient,
    pub scans: Vec<Value>,
    /// How many times Songda placed this order.
    pub asked: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HeldRecipient {
    pub name: String,
    pub phone: String,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Phone {
    address: String,
    messages: Vec<ShownMessage>,
}

#[derive(Deserialize)]
struct AtCarrier {
    parcels: Vec<HeldParcel>,
}

impl SandboxClient {
    pub fn new(base: Url) -> Played<Self> {
        Ok(Self { caller: Caller::new(base)? })
    }

    /// Sets the base URL of Songda, to which the simulated gateways send their callbacks.
    pub async fn aim(&self, songda: &Url) -> Played<()> {
        self.caller.put("/_sandbox/callbacks").json(&json!({"base_url": songda.as_str()})).success().await?;
        Ok(())
    }

    /// Returns all messages to a phone number or an openid.
    pub async fn phone(&self, address: &str) -> Played<Vec<ShownMessage>> {
        let reply = self.caller.get(&format!("/_sandbox/phones/{address}")).success().await?;
        read(reply.at("/messages")?)
    }

    /// Returns the messages of all phones, by phone number or openid.
    pub async fn phones(&self) -> Played<BTreeMap<String, Vec<ShownMessage>>> {
        let reply = self.caller.get("/_sandbox/phones").success().await?;
        let phones: List<Phone> = read(&reply.body)?;
        Ok(phones.data.into_iter().map(|phone| (phone.address, phone.messages)).collect())
    }

    /// Returns all parcels of all carriers.
    pub async fn parcels(&self) -> Played<Vec<HeldParcel>> {
        let reply = self.caller.get("/_sandbox/parcels").success().await?;
        let carriers: List<AtCarrier> = read(&reply.body)?;
        Ok(carriers.data.into_iter().flat_map(|carrier| carrier.parcels).collect())
    }

    pub async fn parcels_to(&self, phone: &str) -> Played<Vec<HeldParcel>> {
        Ok(self.parcels().await?.into_iter().filter(|parcel| parcel.recipient.phone == phone).collect())
    }

    /// Moves a parcel on by one scan, which is the carrier's next report about it.
    pub async fn advance(&self, order_no: &str) -> Played<()> {
        self.caller.post(&format!("/_sandbox/parcels/{order_no}/advance")).json(&json!({"steps": 1})).success().await?;
        Ok(())
    }

    /// Moves all parcels on by one scan (the carrier's next report), and returns how many parcels moved.
    pub async fn advance_all(&self) -> Played<u64> {
        let reply = self.caller.post("/_sandbox/advance-all").json(&json!({"steps": 1})).success().await?;
        Ok(reply.at("/moved")?.as_u64().unwrap_or_default())
    }

    /// Taps an answer in WeChat's dialog about these templates: `accept` or `reject`.
    pub async fn tap(&self, openid: &str, templates: &[&str], answer: &str) -> Played<()> {
        let body = json!({"openid": openid, "templates": templates, "answer": answer});
        self.caller.post("/_sandbox/wechat/consents").json(&body).success().await?;
        Ok(())
    }

    /// Injects a fault into a share (0 to 1) of a gateway's calls or callbacks.
    pub async fn order_fault(&self, gateway: &str, fault: &str, share: f64) -> Played<()> {
        let body = json!({"gateway": gateway, "fault": fault, "share": share});
        self.caller.post("/_sandbox/faults").json(&body).success().await?;
        Ok(())
    }

    /// Removes all faults, and returns how often each of them occurred.
    pub async fn end_faults(&self) -> Played<Value> {
        self.caller.delete("/_sandbox/faults").success().await?;
        Ok(self.caller.get("/_sandbox/faults").success().await?.at("/injected")?.clone())
    }
}

/// Checks that no message about a case arrived twice: neither as a copy, nor with the same texts over another channel.
/// `messages` are those of all addresses of one phone.
pub fn each_message_once(messages: &[ShownMessage], number: &str) -> Played<()> {
    let of_case: Vec<&ShownMessage> = messages.iter().filter(|message| message.says(number)).collect();
    if let Some(message) = of_case.iter().find(|message| message.copies != 1) {
        return Err(Mishap::Wrong(format!("case {number}: {} copies over {}", message.copies, message.channel)));
    }
    let mut seen = BTreeSet::new();
    for message in of_case {
        if !seen.insert(message.words()) {
            return Err(Mishap::Wrong(format!("case {number}: told the same twice, over {}", message.channel)));
        }
    }
    Ok(())
}

/// Checks that exactly one message reports this status of a case. `news` is the text of the status.
pub fn told_once(messages: &[ShownMessage], number: &str, news: &str) -> Played<()> {
    let telling = messages.iter().filter(|message| message.says(number) && message.says(news));
    let told: u32 = telling.map(|message| message.copies).sum();
    check(told == 1, || format!("case {number}: {news} was told {told} times"))
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Played<T> {
    T::deserialize(value).map_err(|error| Mishap::Wrong(format!("the sandbox's answer cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str, fields: &[(&str, &str)], copies: u32) -> ShownMessage {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ShownMessage { channel: channel.into(), fields, copies }
    }

    #[test]
    fn the_same_news_over_two_channels_counts_twice() {
        let fields = [("thing1", "居住证"), ("phrase2", "准予"), ("character_string3", "N1"), ("time4", "9")];
        let wechat = message("wechat", &fields, 1);
        let sms = message("sms_aliyun", &[("name", "居住证"), ("status", "准予"), ("number", "N1")], 1);
        let other = message("sms_aliyun", &[("name", "居住证"), ("status", "已签收"), ("number", "N1")], 1);
        assert!(each_message_once(&[wechat.clone(), other], "N1").is_ok());
        assert!(each_message_once(&[wechat.clone(), sms.clone()], "N1").is_err());
        assert!(each_message_once(&[wechat, sms], "N2").is_ok(), "messages of another case");
        assert!(each_message_once(&[message("wechat", &[("a", "N1")], 2)], "N1").is_err(), "a copy");
    }

    #[test]
    fn lost_or_doubled_news_are_found() {
        let granted = message("sms_aliyun", &[("status", news::GRANTED), ("number", "N1")], 1);
        let told = |messages: &[ShownMessage]| told_once(messages, "N1", news::GRANTED).is_ok();
        assert!(told(std::slice::from_ref(&granted)));
        assert!(!told(&[]) && told_once(std::slice::from_ref(&granted), "N1", news::DELIVERED).is_err(), "lost");
        assert!(!told(&[granted.clone(), ShownMessage { channel: "wechat".into(), ..granted.clone() }]), "doubled");
        assert!(!told(&[ShownMessage { copies: 2, ..granted }]), "a copy");
    }
}
