//! What each phone received. A phone is an address: a number, or an openid. The same message received again is not
//! a second message but a further copy of the first, so that "each message once" can be asked for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::shards::{Shards, lock};
use crate::domain::kernel::clock::Instant;

/// A message on its way to a phone.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The channel that brings it.
    pub channel: &'static str,
    /// To which number or openid.
    pub address: String,
    /// The template's id at the gateway.
    pub template: String,
    /// What stands in the template's fields.
    pub fields: BTreeMap<String, String>,
    /// Our key for it, where the gateway's protocol carries one.
    pub key: Option<String>,
    /// The gateway's id for it.
    pub reference: String,
}

/// A message that a phone received.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// The channel that brought it.
    pub channel: &'static str,
    /// The template's id at the gateway.
    pub template: String,
    /// What stands in the template's fields.
    pub fields: BTreeMap<String, String>,
    /// Our key for it, where the gateway's protocol carries one.
    pub key: Option<String>,
    /// The gateway's id for its first copy.
    pub reference: String,
    /// When it came first.
    pub at: Instant,
    /// How often it came. More than one is a fault of ours.
    pub copies: u32,
}

impl Message {
    /// By our key, where there is one; else by what the person sees.
    fn is(&self, delivery: &Delivery) -> bool {
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
    by_address: Shards<Vec<Message>>,
    recent: Mutex<VecDeque<String>>,
    messages: AtomicU64,
    extra_copies: AtomicU64,
}

/// How many phones the page shows.
const RECENT: usize = 24;

impl Phones {
    /// A message arrives. Says whether it is the first copy.
    pub fn deliver(&self, delivery: Delivery, at: Instant) -> bool {
        self.remember(&delivery.address);
        let address = delivery.address.clone();
        let first = self.by_address.with(&address, |piece| {
            let messages = piece.entry(address.clone()).or_default();
            if let Some(message) = messages.iter_mut().find(|message| message.is(&delivery)) {
                message.copies += 1;
                return false;
            }
            let Delivery { channel, template, fields, key, reference, .. } = delivery;
            messages.push(Message { channel, template, fields, key, reference, at, copies: 1 });
            true
        });
        let counter = if first { &self.messages } else { &self.extra_copies };
        counter.fetch_add(1, Ordering::Relaxed);
        first
    }

    /// What one phone received, the oldest first.
    #[must_use]
    pub fn of(&self, address: &str) -> Vec<Message> {
        self.by_address.get(address).unwrap_or_default()
    }

    /// What all phones received.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Vec<Message>> {
        let mut all = BTreeMap::new();
        self.by_address.each(|address, messages| {
            all.insert(address.to_owned(), messages.clone());
        });
        all
    }

    /// The phones that rang last, the latest first.
    #[must_use]
    pub fn recent(&self) -> Vec<(String, Vec<Message>)> {
        let addresses: Vec<String> = lock(&self.recent).iter().cloned().collect();
        addresses.into_iter().map(|address| (address.clone(), self.of(&address))).collect()
    }

    /// How many different messages arrived, and how many superfluous copies.
    #[must_use]
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

    fn message(key: Option<&str>, text: &str) -> Delivery {
        Delivery {
            channel: "sms_aliyun",
            address: "13912345678".into(),
            template: "SMS_1".into(),
            fields: [("name".to_owned(), text.to_owned())].into(),
            key: key.map(str::to_owned),
            reference: "1^0".into(),
        }
    }

    #[test]
    fn a_second_copy_is_counted_not_kept() {
        let (phones, now) = (Phones::default(), Clock::system().now());
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
