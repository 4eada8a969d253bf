//! Damages messages: as bytes, or as JSON. Damaged JSON stays valid JSON with strange values.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Number, Value, json};

/// Returns the number of cases that `PROPTEST_CASES` sets. Most tests try a fraction of that number.
pub fn cases() -> usize {
    usize::try_from(ProptestConfig::default().cases).unwrap()
}

/// Returns this many values of a strategy, for tests that try all of them on one installation.
pub fn some<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Bytes that are readable in the message of a failed test.
#[derive(Clone, PartialEq, Eq)]
pub struct Mangled(pub Vec<u8>);

impl fmt::Debug for Mangled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Byte sequences that trouble parsers and databases.
const STUMBLES: [&[u8]; 28] = [
    b"\0",
    b"\\u0000",
    b"\\ud800",
    b"\\udfff\\ud800",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"%00",
    b"%zz",
    b"%ff",
    b"%",
    b"+",
    b"&#0;",
    b"&#xD800;",
    b"&lol;",
    b"<!DOCTYPE x [<!ENTITY lol \"lol\">]>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"\r\n\r\n",
    b"\"",
    b"\\",
    b"99999999999999999999999999999999999999",
    b"-1e999",
    b"null",
    b"9999-12-31 23:59:59",
];

#[derive(Debug, Clone)]
enum Spoil {
    Flip(Index, u8),
    Cut(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize, usize),
    Splice(Index, Index, Index),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let stumble = select(STUMBLES.to_vec()).prop_map(<[u8]>::to_vec);
    let junk = prop::collection::vec(any::<u8>(), 1..8);
    let nest =
        (select(vec!["[", "{\"a\":", "<a>"]), 1_usize..300).prop_map(|(open, times)| open.repeat(times).into_bytes());
    prop_oneof![
        (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Spoil::Flip(at, bit)),
        (any::<Index>(), 1_usize..40).prop_map(|(at, length)| Spoil::Cut(at, length)),
        (any::<Index>(), prop_oneof![4 => stumble, 1 => junk, 1 => nest])
            .prop_map(|(at, what)| Spoil::Insert(at, what)),
        (any::<Index>(), 1_usize..60, 2_usize..200).prop_map(|(at, length, times)| Spoil::Repeat(at, length, times)),
        any::<(Index, Index, Index)>().prop_map(|(other, from, at)| Spoil::Splice(other, from, at)),
    ]
}

/// Generates messages: seeds, each damaged in a few places.
pub fn bytes(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Mangled> {
    let spoils = prop::collection::vec(spoil(), 1..5);
    (any::<Index>(), spoils).prop_map(move |(seed, spoils)| {
        let mut message = seed.get(&seeds).clone();
        for spoil in spoils {
            message = spoiled(message, spoil, &seeds);
        }
        Mangled(message)
    })
}

fn spoiled(mut message: Vec<u8>, spoil: Spoil, seeds: &[Vec<u8>]) -> Vec<u8> {
    let length = message.len();
    let place = |at: Index| at.index(length + 1);
    match spoil {
        Spoil::Flip(at, bit) if length > 0 => message[at.index(length)] ^= 1 << bit,
        Spoil::Flip(..) => {}
        Spoil::Cut(at, long) => drop(message.drain(place(at)..(place(at) + long).min(length))),
        Spoil::Insert(at, what) => drop(message.splice(place(at)..place(at), what)),
        Spoil::Repeat(at, long, times) => {
            let part = message[place(at)..(place(at) + long).min(length)].repeat(times);
            drop(message.splice(place(at)..place(at), part));
        }
        Spoil::Splice(other, from, at) => {
            let other = other.get(seeds);
            message.truncate(place(at));
            message.extend_from_slice(&other[from.index(other.len() + 1)..]);
        }
    }
    message
}

/// Generates JSON values that our code possibly does not expect.
fn strange() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "\u{feff}",
        "\u{85}",
        "\0",
        "a\0b",
        "\u{202e}",
        "\u{10ffff}",
        "é",
        "👨‍👩‍👧",
        "null",
        "true",
        "-1",
        "1e5",
        "0000-00-00",
        "9999-12-31",
        "+262142-12-31 23:59:59",
        "-262143-01-01 00:00:00",
        "2026-02-30",
        "0000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "2026-01-01T00:00:60Z",
        "../../etc/passwd",
        "'; drop table cases; --",
    ];
    let numbers =
        [json!(0), json!(-1), json!(1.0), json!(1.5), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(1e300)];
    prop_oneof![
        select(vec![Value::Null, json!(true), json!(false), json!([]), json!({}), json!([null]), json!({"": null})]),
        select(numbers.to_vec()),
        select(texts.to_vec()).prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        (select(vec!["长", "a", "\0"]), 1_usize..6_000).prop_map(|(letter, times)| letter.repeat(times).into()),
        any::<f64>().prop_filter_map("JSON has no such number", Number::from_f64).prop_map(Value::Number),
        any::<i64>().prop_map(Value::from),
        (1_usize..120).prop_map(|depth| (0..depth).fold(json!(0), |inside, _| json!([inside]))),
        (1_usize..120).prop_map(|depth| (0..depth).fold(json!(0), |inside, _| json!({"a/~b": inside}))),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    /// Repeats the first entry of a list, or the first member of an object under another name.
    Repeat(String, usize),
    /// Adds an entry to a list, or a member to an object.
    Add(String, Value),
}

fn change() -> impl Strategy<Value = Change> {
    let name = prop_oneof!["[a-z_]{1,8}", select(vec!["", "\0", "a/b~c", "__proto__"]).prop_map(str::to_owned)];
    prop_oneof![
        4 => strange().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => (name.clone(), 1_usize..40).prop_map(|(name, times)| Change::Repeat(name, times)),
        1 => (name, strange()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

/// Generates JSON values: seeds, each changed in a few places.
pub fn json(seeds: Vec<Value>) -> impl Strategy<Value = Value> {
    let changes = prop::collection::vec((any::<Index>(), change()), 1..4);
    (any::<Index>(), changes).prop_map(move |(seed, changes)| {
        let mut value = seed.get(&seeds).clone();
        for (at, change) in changes {
            let pointers = pointers(&value);
            if let Some(place) = value.pointer_mut(&pointers[at.index(pointers.len())]) {
                changed(place, change);
            }
        }
        value
    })
}

/// Returns a JSON pointer to each value within a value, and to the value itself.
fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, here: String, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, member)| {
                walk(member, format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| walk(item, format!("{here}/{at}"), found));
            }
            _ => {}
        }
        found.push(here);
    }
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found
}

fn changed(place: &mut Value, change: Change) {
    match (place, change) {
        (place, Change::Replace(value)) => *place = value,
        (Value::Object(members), Change::Remove) => {
            *members = members.clone().into_iter().skip(1).collect::<Map<_, _>>()
        }
        (Value::Array(items), Change::Remove) => drop(items.pop()),
        (place, Change::Remove) => *place = Value::Null,
        (Value::Array(items), Change::Repeat(_, times)) => {
            let again = items.first().cloned().unwrap_or_default();
            items.extend(std::iter::repeat_n(again, times));
        }
        (Value::Object(members), Change::Repeat(name, _)) => {
            let again = members.values().next().cloned().unwrap_or_default();
            members.insert(name, again);
        }
        (Value::Object(members), Change::Add(name, value)) => drop(members.insert(name, value)),
        (Value::Array(items), Change::Add(_, value)) => items.push(value),
        (place, Change::Repeat(..) | Change::Add(..)) => *place = json!([place.take()]),
    }
}
