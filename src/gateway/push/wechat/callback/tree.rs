//! Parses a message in JSON or XML. Both formats result in the same tree of JSON values.
//!
//! An XML element with children becomes an object, an element with text a string, and repeated elements an array. This
//! is also the shape of WeChat's JSON, where `List` is an object for one item and an array for several.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

use crate::gateway::shared::callback::CallbackFault;

/// The size limit of a message in bytes. Real messages are smaller.
const LARGEST: usize = 64 << 10;
/// The maximum depth of nested XML elements. Real messages are less deep.
const DEEPEST: usize = 8;

/// Parses a message. For XML, the result is the content of the root element.
pub fn read(bytes: &[u8]) -> Result<Value, CallbackFault> {
    if bytes.len() > LARGEST {
        return Err(unreadable("too large"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("not UTF-8"))?.trim();
    if text.starts_with('<') { xml(text) } else { serde_json::from_str(text).map_err(|_| unreadable("not JSON")) }
}

fn unreadable(why: &str) -> CallbackFault {
    CallbackFault::Unreadable(why.to_owned())
}

/// An element whose end tag has not been read yet.
struct Open {
    name: String,
    children: Map<String, Value>,
    text: String,
}

impl Open {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), children: Map::new(), text: String::new() }
    }

    fn close(self) -> (String, Value) {
        let text_only = self.children.is_empty();
        (self.name, if text_only { Value::String(self.text.trim().to_owned()) } else { Value::Object(self.children) })
    }

    fn adopt(&mut self, name: String, child: Value) {
        match self.children.get_mut(&name) {
            None => {
                self.children.insert(name, child);
            }
            Some(Value::Array(siblings)) => siblings.push(child),
            Some(first) => *first = Value::Array(vec![first.take(), child]),
        }
    }
}

fn xml(text: &str) -> Result<Value, CallbackFault> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Open> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| unreadable("not XML"))? {
            Event::Start(_) if open.len() == DEEPEST => return Err(unreadable("too deep")),
            Event::Start(start) => open.push(Open::new(start.name().as_ref())),
            Event::End(_) => {
                let (name, value) = open.pop().ok_or_else(|| unreadable("not XML"))?.close();
                match open.last_mut() {
                    Some(parent) => parent.adopt(name, value),
                    None => return Ok(value),
                }
            }
            Event::Text(text) => write(&mut open, &text),
            Event::CData(text) => write(&mut open, &text),
            Event::GeneralRef(reference) => write(&mut open, &resolve(&reference)?),
            // A document type can define entities that grow without bound or read files.
            Event::DocType(_) => return Err(unreadable("has a document type")),
            Event::Eof => return Err(unreadable("ends too early")),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn write(open: &mut [Open], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, CallbackFault> {
    let unknown = || unreadable("an unknown entity");
    match reference.resolve_char_ref().map_err(|_| unknown())? {
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned).ok_or_else(unknown),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn why(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn xml_and_json_have_the_same_shape() {
        let text = "<?xml version=\"1.0\"?>\n<xml><A><![CDATA[a<b]]></A> <B>1</B><B>2</B><B>3</B><C><D>x &amp; &#49;</D></C><E/></xml>";
        let tree = json!({"A": "a<b", "B": ["1", "2", "3"], "C": {"D": "x & 1"}, "E": ""});
        assert_eq!(read(text.as_bytes()), Ok(tree.clone()));
        assert_eq!(read(tree.to_string().as_bytes()), Ok(tree));
    }

    #[test]
    fn harmful_and_broken_messages_are_refused() {
        assert!(why("<!DOCTYPE x [<!ENTITY a \"b\">]><xml>&a;</xml>").contains("document type"));
        assert!(why("<xml>&a;</xml>").contains("entity"));
        assert!(why(&"<a>".repeat(9)).contains("deep"));
        assert!(why("<xml><a></xml>").contains("not XML"));
        assert!(why("<xml>").contains("early"));
        assert!(why(&" ".repeat(LARGEST + 1)).contains("large"));
        assert!(why("").contains("JSON"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a&;#x!\\[\\]]{0,40}|\\PC*") {
            let _ = read(text.as_bytes());
        }
    }
}
