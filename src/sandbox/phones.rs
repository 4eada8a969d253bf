//! The messages that each phone received. A phone is identified by its address: a phone number, or the openid of a
//! WeChat user. A repeated message is counted as a copy of the first, so that a test can check that each message came
//! once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::shards::{Shards, lock};
use crate::domain::kernel::clock::Instant;

/// A message on its way to a phone.
#[derive(Debug, Clone)]
pub struct IncomingMessage {
    pub channel: &'static str,
    pub address: String,
    /// The template's id at the gateway.
    pub template: String,
    pub fields: BTreeMap<String, String>,
    /// Songda's key for the message, if the gateway's protocol has one.
    pub key: Option<String>,
    /// The gateway's id for the message.
    pub reference: String,
}

/// A message that a phone received. Most fields are those of [`IncomingMessage`].
#[derive(Debug, Clone, Serialize)]
pub struct PhoneMessage {
    pub channel: &'static str,
    pub template: String,
    pub fields: BTreeMap<String, String>,
    pub key: Option<String>,
    /// The gateway's id for the first copy.
    pub reference: String,
    /// The time when the first copy arrived.
    pub at: Instant,
    /// How often the message arrived. If it arrived more than once, Songda has a bug.
    pub copies: u32,
}

impl PhoneMessage {
    /// True if `delivery` is a copy of this message: both have the same key or, if they have no keys, the same template
    /// and fields.
    fn is(&self, delivery: &IncomingMessage) -> bool {
        self.channel == delivery.channel
            && match (&self.key, &delivery.key) {
                (Some(ours), Some(theirs)) => ours == theirs,
                (None, None) => self.template == delivery.template && self.fields == delivery.fields,
                _ => false,
            }
    }
}

#[derive(Default)]
pub struct Phones {
    by_address: Shards<Vec<PhoneMessage>>,
    recent: Mutex<VecDeque<String>>,
    messages: AtomicU64,
    extra_copies: AtomicU64,
}

/// The number of phones that the sandbox's web page shows.
const RECENT: usize = 24;

impl Phones {
    /// Stores a message, or counts it as a copy. Returns true for the first copy of a message.
    pub fn deliver(&self, delivery: IncomingMessage, at: Instant) -> bool {
        self.remember(&delivery.address);
        let address = delivery.address.clone();
        let first = self.by_address.with(&address, |shard| {
            let messages = shard.entry(address.clone()).or_default();
            if let Some(message) = messages.iter_mut().find(|message| message.is(&delivery)) {
                message.copies += 1;
                return false;
            }
            let IncomingMessage { channel, template, fields, key, reference, .. } = delivery;
            messages.push(PhoneMessage { channel, template, fields, key, reference, at, copies: 1 });
            true
        });
        let counter = if first { &self.messages } else { &self.extra_copies };
        counter.fetch_add(1, Ordering::Relaxed);
        first
    }

    /// The messages of one phone, oldest first.
    pub fn of(&self, address: &str) -> Vec<PhoneMessage> {
        self.by_address.get(address).unwrap_or_default()
    }

    pub fn all(&self) -> BTreeMap<String, Vec<PhoneMessage>> {
        let mut all = BTreeMap::new();
        self.by_address.each(|address, messages| {
            all.insert(address.to_owned(), messages.clone());
        });
        all
    }

    /// The phones with the latest messages, newest first.
    pub fn recent(&self) -> Vec<(String, Vec<PhoneMessage>)> {
        let addresses: Vec<String> = lock(&self.recent).iter().cloned().collect();
        addresses.into_iter().map(|address| (address.clone(), self.of(&address))).collect()
    }

    /// The number of different messages, and the number of additional copies.
    pub fn counts(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.extra_copies.load(Ordering::Relaxed))
    }

    pub fn clear(&self) {
        self.by_address.clear();
        lock(&self.recent).clear();
        self.messages.store(0, Ordering::Relaxed);
        self.extra_copies.store(0, Ordering::Relaxed);
    }

    fn remember(&self, address: &str) {
        let mut recent = lock(&self.recent);
        if recent.front().is_some_and(|latest| latest == address) {
            return;
        }
        recent.retain(|known| known != address);
        recent.push_front(address.to_owned());
        recent.truncate(RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kernel::clock::Clock;

    fn message(key: Option<&str>, text: &str) -> IncomingMessage {
        IncomingMessage {
            channel: "sms_aliyun",
            address: "13912345678".into(),
            template: "SMS_1".into(),
            fields: [("name".to_owned(), text.to_owned())].into(),
            key: key.map(str::to_owned),
            reference: "1^0".into(),
        }
    }

    #[test]
    fn a_second_copy_is_counted_and_not_stored() {
        let phones = Phones::default();
        let now = Clock::system().now();
        assert!(phones.deliver(message(Some("a"), "x"), now));
        assert!(!phones.deliver(message(Some("a"), "y"), now), "the key says that it is the same");
        assert!(phones.deliver(message(Some("b"), "x"), now));
        assert!(phones.deliver(message(None, "x"), now));
        assert!(!phones.deliver(message(None, "x"), now), "without a key, the words say so");
        assert_eq!(phones.counts(), (3, 2));
        let copies: Vec<u32> = phones.of("13912345678").iter().map(|message| message.copies).collect();
        assert_eq!(copies, [2, 1, 2]);
    }
}
