//! What the sandbox remembers: which message a phone showed, which parcel a carrier holds. The player believes this
//! and never the server's own word.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::http::Caller;
use super::mishap::{Mishap, Played};

/// The sandbox, looked at from outside.
#[derive(Clone)]
pub struct Sandbox {
    caller: Caller,
}

/// How a phone words what it tells (`status` in `catalog/templates.toml`).
pub mod news {
    /// 准予: the application was granted.
    pub const GRANTED: &str = "准予办理";
    /// 不予: the application was denied.
    pub const DENIED: &str = "不予办理";
    /// 已签收: the parcel was delivered.
    pub const DELIVERED: &str = "已经签收";
}

/// A message on a phone.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// The channel that brought it.
    pub channel: String,
    /// What it says, by the template's fields.
    pub fields: BTreeMap<String, String>,
    /// How often it came.
    pub copies: u32,
}

impl Message {
    /// Whether one of its fields says this.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.fields.values().any(|field| field == text)
    }

    /// What it tells: neither when it was worded, nor the page that it opens.
    #[must_use]
    pub fn words(&self) -> BTreeSet<&str> {
        let told = self.fields.iter().filter(|(field, _)| !field.starts_with("time") && *field != "page");
        told.map(|(_, value)| value.as_str()).collect()
    }
}

/// A parcel at a carrier.
#[derive(Debug, Clone, Deserialize)]
pub struct Parcel {
    pub carrier: String,
    pub order_no: String,
    /// The carrier's number.
    pub waybill: String,
    /// `live` or `cancelled`.
    pub state: String,
    pub recipient: Recipient,
    pub scans: Vec<Value>,
    /// How often it was asked for.
    pub asked: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Recipient {
    /// Name on the label.
    pub name: String,
    /// Phone on the label.
    pub phone: String,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Phone {
    address: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct AtCarrier {
    parcels: Vec<Parcel>,
}

impl Sandbox {
    /// The sandbox at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: Url) -> Played<Self> {
        Ok(Self { caller: Caller::new(base)? })
    }

    /// Says where Songda is called back.
    pub async fn aim(&self, songda: &Url) -> Played<()> {
        self.caller.put("/_sandbox/callbacks").json(&json!({"base_url": songda.as_str()})).success().await?;
        Ok(())
    }

    /// All messages of a phone, or of an openid.
    pub async fn phone(&self, address: &str) -> Played<Vec<Message>> {
        let reply = self.caller.get(&format!("/_sandbox/phones/{address}")).success().await?;
        read(reply.at("/messages")?)
    }

    /// All messages of all phones and openids.
    pub async fn phones(&self) -> Played<BTreeMap<String, Vec<Message>>> {
        let reply = self.caller.get("/_sandbox/phones").success().await?;
        let phones: List<Phone> = read(&reply.body)?;
        Ok(phones.data.into_iter().map(|phone| (phone.address, phone.messages)).collect())
    }

    /// All parcels of all carriers.
    pub async fn parcels(&self) -> Played<Vec<Parcel>> {
        let reply = self.caller.get("/_sandbox/parcels").success().await?;
        let carriers: List<AtCarrier> = read(&reply.body)?;
        Ok(carriers.data.into_iter().flat_map(|carrier| carrier.parcels).collect())
    }

    /// The parcels that go to a phone.
    pub async fn parcels_to(&self, phone: &str) -> Played<Vec<Parcel>> {
        Ok(self.parcels().await?.into_iter().filter(|parcel| parcel.recipient.phone == phone).collect())
    }

    /// Moves a parcel on by one scan.
    ///
    /// # Errors
    /// When no carrier holds it.
    pub async fn advance(&self, order_no: &str) -> Played<()> {
        self.caller.post(&format!("/_sandbox/parcels/{order_no}/advance")).json(&json!({"steps": 1})).success().await?;
        Ok(())
    }

    /// Moves all parcels on by one scan; how many were not at their door yet.
    pub async fn advance_all(&self) -> Played<u64> {
        let reply = self.caller.post("/_sandbox/advance-all").json(&json!({"steps": 1})).success().await?;
        Ok(reply.at("/moved")?.as_u64().unwrap_or_default())
    }

    /// Taps in WeChat's dialog about these templates: `accept` or `reject`.
    ///
    /// # Errors
    /// When there is no such template, or one dialog may not ask for all of them.
    pub async fn tap(&self, openid: &str, templates: &[&str], answer: &str) -> Played<()> {
        let body = json!({"openid": openid, "templates": templates, "answer": answer});
        self.caller.post("/_sandbox/wechat/consents").json(&body).success().await?;
        Ok(())
    }

    /// Lets a share of a gateway's calls, or callbacks, go wrong.
    ///
    /// # Errors
    /// When there is no such gateway or fault.
    pub async fn order_fault(&self, gateway: &str, fault: &str, share: f64) -> Played<()> {
        let body = json!({"gateway": gateway, "fault": fault, "share": share});
        self.caller.post("/_sandbox/faults").json(&body).success().await?;
        Ok(())
    }

    /// Takes all faults back, and says how often each struck.
    pub async fn end_faults(&self) -> Played<Value> {
        self.caller.delete("/_sandbox/faults").success().await?;
        Ok(self.caller.get("/_sandbox/faults").success().await?.at("/injected")?.clone())
    }
}

/// Checks that nothing reached a phone twice: neither a copy, nor a second message that says the same of the same
/// case, over whichever channel. A phone may have several addresses.
///
/// # Errors
/// [`Mishap::Wrong`], naming the message.
pub fn each_message_once(messages: &[Message], number: &str) -> Played<()> {
    let of_case: Vec<&Message> = messages.iter().filter(|message| message.says(number)).collect();
    if let Some(message) = of_case.iter().find(|message| message.copies != 1) {
        return Err(Mishap::Wrong(format!("case {number}: {} copies over {}", message.copies, message.channel)));
    }
    let mut said = BTreeSet::new();
    for message in of_case {
        if !said.insert(message.words()) {
            return Err(Mishap::Wrong(format!("case {number}: told the same twice, over {}", message.channel)));
        }
    }
    Ok(())
}

/// Checks that a phone shows this news of a case, and shows it once.
///
/// # Errors
/// [`Mishap::Wrong`], naming the news.
pub fn told_once(messages: &[Message], number: &str, news: &str) -> Played<()> {
    let told: u32 = messages
        .iter()
        .filter(|message| message.says(number) && message.says(news))
        .map(|message| message.copies)
        .sum();
    check(told == 1, || format!("case {number}: {news} was told {told} times"))
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Played<T> {
    T::deserialize(value).map_err(|error| Mishap::Wrong(format!("the sandbox's answer cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str, fields: &[(&str, &str)], copies: u32) -> Message {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Message { channel: channel.into(), fields, copies }
    }

    #[test]
    fn the_same_news_over_two_channels_is_told_twice() {
        let wechat = message(
            "wechat",
            &[("thing1", "居住证"), ("phrase2", "准予"), ("character_string3", "N1"), ("time4", "9")],
            1,
        );
        let sms = message("sms_aliyun", &[("name", "居住证"), ("status", "准予"), ("number", "N1")], 1);
        let other = message("sms_aliyun", &[("name", "居住证"), ("status", "已签收"), ("number", "N1")], 1);
        assert!(each_message_once(&[wechat.clone(), other], "N1").is_ok());
        assert!(each_message_once(&[wechat.clone(), sms.clone()], "N1").is_err());
        assert!(each_message_once(&[wechat, sms], "N2").is_ok(), "another case's");
        assert!(each_message_once(&[message("wechat", &[("a", "N1")], 2)], "N1").is_err(), "a copy");
    }

    #[test]
    fn news_that_are_lost_or_doubled_are_not_told_once() {
        let granted = message("sms_aliyun", &[("status", news::GRANTED), ("number", "N1")], 1);
        let told = |messages: &[Message]| told_once(messages, "N1", news::GRANTED).is_ok();
        assert!(told(std::slice::from_ref(&granted)));
        assert!(!told(&[]) && told_once(std::slice::from_ref(&granted), "N1", news::DELIVERED).is_err(), "lost");
        assert!(!told(&[granted.clone(), Message { channel: "wechat".into(), ..granted.clone() }]), "doubled");
        assert!(!told(&[Message { copies: 2, ..granted }]), "a copy");
    }
}
