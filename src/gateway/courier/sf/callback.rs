//! SF's callback with new scans (a *push*), and our answer to it. Depending on the account, both are JSON or XML. SF
//! documents no signature. So even if a push comes on our secret callback path and names a parcel that Songda ordered,
//! it changes nothing. It only makes Songda ask SF soon.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::scans::RouteNode;
use crate::domain::delivery::parcel::Scan;
use crate::gateway::courier::lenient::{self, WithRaw};
use crate::gateway::courier::{Acknowledgement, CallbackFault, RawCallback};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Push {
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(deserialize_with = "lenient::list")]
    waybill_route: Vec<WithRaw<RouteNode>>,
}

/// True for a push in JSON. Other pushes are XML, bare or in the form field `content`.
fn is_json(call: &RawCallback) -> bool {
    let first = call.body.expose().iter().find(|byte| !byte.is_ascii_whitespace());
    call.content_type.contains("json") || first == Some(&b'{')
}

pub(super) fn read(call: &RawCallback) -> Result<Vec<Scan>, CallbackFault> {
    let nodes = if is_json(call) { nodes_of_json(call.body.expose()) } else { nodes_of_xml(&xml(call)) };
    let nodes = nodes.ok_or_else(|| CallbackFault::Unreadable("not a route push of SF".to_owned()))?;
    let scans: Vec<Scan> = nodes.into_iter().filter_map(WithRaw::scan).collect();
    if scans.is_empty() { Err(CallbackFault::Unreadable("no node in it".to_owned())) } else { Ok(scans) }
}

fn nodes_of_json(body: &[u8]) -> Option<Vec<WithRaw<RouteNode>>> {
    let push: Push = serde_json::from_slice(body).ok()?;
    Some(push.body.waybill_route)
}

fn xml(call: &RawCallback) -> String {
    let body = call.body.expose();
    let content = form_urlencoded::parse(body).find(|(name, _)| name == "content").map(|(_, xml)| xml.into_owned());
    content.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn nodes_of_xml(xml: &str) -> Option<Vec<WithRaw<RouteNode>>> {
    let mut reader = Reader::from_str(xml);
    let mut nodes = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) if element.name().0 == "WaybillRoute" => {
                nodes.push(node_of_element(&element)?);
            }
            Event::Eof => return Some(nodes),
            _ => {}
        }
    }
}

/// Reads a node from an XML element. Its attributes have the same names as the fields in JSON.
fn node_of_element(element: &BytesStart) -> Option<WithRaw<RouteNode>> {
    let mut fields = Map::new();
    for attribute in element.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        fields.insert(attribute.key.0.to_owned(), Value::from(value.into_owned()));
    }
    serde_json::from_value(Value::Object(fields)).ok()
}

/// Returns the answer to a push, in the format of the push.
pub(super) fn acknowledge(call: &RawCallback, taken: bool) -> Acknowledgement {
    if is_json(call) {
        let (code, message) = if taken { ("0000", "成功") } else { ("1000", "系统异常") };
        let body = json!({"return_code": code, "return_msg": message}).to_string();
        return Acknowledgement { status: 200, content_type: "application/json;charset=UTF-8", body };
    }
    let head = if taken { "<Head>OK</Head>" } else { r#"<Head>ERR</Head><ERROR code="4001">系统异常</ERROR>"# };
    let body = format!(r#"<Response service="RoutePushService">{head}</Response>"#);
    Acknowledgement { status: 200, content_type: "text/xml;charset=UTF-8", body }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::kernel::private::Private;

    const JSON: &str = r#"{"Body":{"WaybillRoute":[{"id":"173568970001","mailno":"SF7444000000001","orderid":"SD01",
        "acceptTime":"2025-01-02 09:10:11","acceptAddress":"南京市","remark":"已签收 & 致谢","opCode":"80"}]}}"#;
    const XML: &str = r#"<Request service="RoutePushService"><Body><WaybillRoute id="173568970001"
        mailno="SF7444000000001" orderid="SD01" acceptTime="2025-01-02 09:10:11" acceptAddress="南京市"
        remark="已签收 &amp; 致谢" opCode="80"/></Body></Request>"#;

    fn call(content_type: &str, body: impl Into<Vec<u8>>) -> RawCallback {
        RawCallback { content_type: content_type.to_owned(), query: String::new(), body: Private::new(body.into()) }
    }

    fn form(xml: &str) -> RawCallback {
        let body: String = form_urlencoded::Serializer::new(String::new()).append_pair("content", xml).finish();
        call("application/x-www-form-urlencoded", body)
    }

    #[test]
    fn both_formats_give_the_same_scans() {
        let read = |call: &RawCallback| {
            read(call).map(|scans| scans.into_iter().map(|scan| Scan { raw: Private::default(), ..scan }).collect())
        };
        let json: Vec<Scan> = read(&call("application/json;charset=utf-8", JSON)).unwrap();
        assert_eq!(json.len(), 1);
        for other in [form(XML), call("text/xml", XML), call("", JSON)] {
            assert_eq!(read(&other), Ok(json.clone()));
        }
    }

    #[test]
    fn other_calls_are_unreadable() {
        for call in [call("application/json", "[]"), call("application/json", "{}"), form("junk"), call("", "")] {
            assert!(matches!(read(&call), Err(CallbackFault::Unreadable(_))));
        }
    }

    #[test]
    fn the_answer_has_the_format_of_the_push() {
        let json = call("application/json", JSON);
        assert_eq!(acknowledge(&json, true).body, r#"{"return_code":"0000","return_msg":"成功"}"#);
        assert!(acknowledge(&json, false).body.contains("1000"));
        let ok = r#"<Response service="RoutePushService"><Head>OK</Head></Response>"#;
        assert_eq!(acknowledge(&form(XML), true).body, ok);
        assert!(acknowledge(&form(XML), false).body.contains("<Head>ERR</Head>"));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*", xml in "[<>/a-z&;='\" ]*") {
            for call in [call("", bytes.clone()), call("application/json", bytes), form(&text), form(&xml)] {
                let _ = read(&call);
                let _ = acknowledge(&call, true);
            }
        }
    }
}
