//! Reads the three events of subscribe messages: a person answered the consent dialog; a person changed a consent in
//! WeChat's settings; WeChat reports whether it delivered a message (a receipt). Other events are ignored.

use chrono::DateTime;
use serde_json::Value;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::gateway::push::wechat::answer::fact;
use crate::gateway::push::{PushFact, PushNews, PushReceipt, ReceiptOf};
use crate::gateway::shared::callback::CallbackFault;

/// Returns the news in a decrypted message: one entry for each item of its `List`. Returns no entries if the message's
/// `Event` is none of the three below. Fails if a required field is missing.
pub fn news(message: &Value, now: Instant) -> Result<Vec<PushNews>, CallbackFault> {
    let event = text(message, "Event").unwrap_or_default();
    let wrapper = match event.as_str() {
        "subscribe_msg_popup_event" => "SubscribeMsgPopupEvent",
        "subscribe_msg_change_event" => "SubscribeMsgChangeEvent",
        "subscribe_msg_sent_event" => "SubscribeMsgSentEvent",
        _ => return Ok(Vec::new()),
    };
    let address = Private::new(required(message, "FromUserName")?);
    let at = required(message, "CreateTime")?.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = at.ok_or_else(|| missing("CreateTime"))?;
    let read = |item| match wrapper {
        "SubscribeMsgSentEvent" => receipt(item, &address, at, now),
        _ => consent(item, &address, at),
    };
    items(message, wrapper).into_iter().map(read).collect()
}

/// Returns the items of an event. They are in the field `List`, which is at the top level or inside the field that
/// `wrapper` names. WeChat writes several items as an array, and one item as an object.
fn items<'a>(message: &'a Value, wrapper: &str) -> Vec<&'a Value> {
    match message.get("List").or_else(|| message.get(wrapper)?.get("List")) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item) => vec![item],
    }
}

fn consent(item: &Value, address: &Private<String>, at: Instant) -> Result<PushNews, CallbackFault> {
    // Not only `accept` means consent: WeChat later added variants, such as `acceptWithAudio`.
    let accepted = required(item, "SubscribeStatusString")?.starts_with("accept");
    Ok(PushNews::Consent { address: address.clone(), template: required(item, "TemplateId")?, accepted, at })
}

fn receipt(item: &Value, address: &Private<String>, at: Instant, now: Instant) -> Result<PushNews, CallbackFault> {
    let code: i64 = required(item, "ErrorCode")?.parse().map_err(|_| missing("ErrorCode"))?;
    Ok(PushNews::Receipt(PushReceipt {
        address: address.clone(),
        of: ReceiptOf::Message { reference: required(item, "MsgID")?, template: required(item, "TemplateId")?, at },
        fate: fact(code, now).unwrap_or(PushFact::Unavailable).fate(),
        detail: format!("errcode {code}"),
    }))
}

fn required(value: &Value, name: &str) -> Result<String, CallbackFault> {
    text(value, name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> CallbackFault {
    CallbackFault::Unreadable(format!("no {name}"))
}

/// Returns a field as text. WeChat writes a number as a JSON number or as a string.
fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::work::doubt::Fate;
    use crate::gateway::push::wechat::callback::tree;

    fn now() -> Instant {
        "2026-01-02T04:00:00Z".parse().unwrap()
    }

    fn at() -> Instant {
        DateTime::from_timestamp(1_767_316_500, 0).unwrap()
    }

    fn of(message: &Value) -> Vec<PushNews> {
        news(message, now()).unwrap()
    }

    fn consent(template: &str, accepted: bool) -> PushNews {
        let address = Private::new("oAAAA-BBBB".to_owned());
        PushNews::Consent { address, template: template.to_owned(), accepted, at: at() }
    }

    fn event(name: &str, rest: &Value) -> Value {
        let mut message = json!({
            "ToUserName": "gh_0123456789ab", "FromUserName": "oAAAA-BBBB", "CreateTime": "1767316500",
            "MsgType": "event", "Event": name,
        });
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        message
    }

    #[test]
    fn one_item_is_an_object_and_several_are_an_array() {
        let item =
            |template, status| json!({"TemplateId": template, "SubscribeStatusString": status, "PopupScene": "0"});
        let popup = "subscribe_msg_popup_event";
        assert_eq!(of(&event(popup, &json!({"List": item("tplAAA", "accept")}))), [consent("tplAAA", true)]);
        let two = json!([item("tplAAA", "acceptWithAudio"), item("tplBBB", "reject")]);
        let expected = [consent("tplAAA", true), consent("tplBBB", false)];
        assert_eq!(of(&event(popup, &json!({"List": two}))), expected);
        assert_eq!(of(&event(popup, &json!({"SubscribeMsgPopupEvent": {"List": two}}))), expected);
        assert_eq!(of(&event(popup, &json!({"List": []}))), []);
    }

    #[test]
    fn a_change_in_the_settings_is_read() {
        let list = json!({"List": {"TemplateId": "tplAAA", "SubscribeStatusString": "reject"}});
        assert_eq!(of(&event("subscribe_msg_change_event", &list)), [consent("tplAAA", false)]);
    }

    #[test]
    fn xml_is_read_as_json() {
        let xml = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oAAAA-BBBB]]></FromUserName>
            <CreateTime>1767316500</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe_msg_popup_event]]></Event>
            <SubscribeMsgPopupEvent><List><TemplateId><![CDATA[tplAAA]]></TemplateId>
            <SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString><PopupScene>0</PopupScene></List>
            <List><TemplateId><![CDATA[tplBBB]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString>
            <PopupScene>0</PopupScene></List></SubscribeMsgPopupEvent></xml>";
        let message = tree::read(xml.as_bytes()).unwrap();
        assert_eq!(of(&message), [consent("tplAAA", true), consent("tplBBB", false)]);
    }

    #[test]
    fn receipts_keep_every_digit_of_their_message() {
        for (msgid, code) in
            [(json!("1988810812324364291"), json!("0")), (json!(1_988_810_812_324_364_291_u64), json!(0))]
        {
            let list =
                json!({"List": {"TemplateId": "t", "MsgID": msgid, "ErrorCode": code, "ErrorStatus": "success"}});
            let reference = "1988810812324364291".to_owned();
            let expected = PushReceipt {
                address: Private::new("oAAAA-BBBB".to_owned()),
                of: ReceiptOf::Message { reference, template: "t".to_owned(), at: at() },
                fate: Fate::Arrived,
                detail: "errcode 0".to_owned(),
            };
            assert_eq!(of(&event("subscribe_msg_sent_event", &list)), [PushNews::Receipt(expected)]);
        }
    }

    #[test]
    fn each_failed_receipt_has_its_fate() {
        for (code, fate) in [("43101", Fate::Refused), ("40003", Fate::Lost), ("12345", Fate::Lost)] {
            let list = json!({"List": {"TemplateId": "t", "MsgID": "1", "ErrorCode": code, "ErrorStatus": "no"}});
            let [PushNews::Receipt(receipt)] = &of(&event("subscribe_msg_sent_event", &list))[..] else {
                panic!("one receipt");
            };
            assert_eq!(receipt.fate, fate, "{code}");
        }
    }

    #[test]
    fn other_events_are_ignored_and_incomplete_ones_are_faults() {
        assert_eq!(of(&event("debug_demo", &json!({}))), []);
        assert_eq!(of(&json!({"MsgType": "text"})), []);
        let list = json!({"List": {"SubscribeStatusString": "accept"}});
        let fault = CallbackFault::Unreadable("no TemplateId".to_owned());
        assert_eq!(news(&event("subscribe_msg_popup_event", &list), now()), Err(fault));
    }
}
