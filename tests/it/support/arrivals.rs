//! Asserts that a decision arrives at its applicant: one message on the phone, one order at the carrier.

use std::collections::BTreeMap;

use songda::demo::mishap::Played;
use songda::demo::sandbox::{HeldParcel, ShownMessage, each_message_once, news, told_once};
use songda::demo::wait;

use super::desk::Desk;
use super::wait::TIMEOUT;

/// A decision, and the addresses at which its message can arrive.
#[derive(Clone)]
pub struct Decided {
    /// The case's number.
    pub number: String,
    /// The applicant's phone.
    pub phone: String,
    /// The applicant's address at WeChat.
    pub openid: Option<String>,
}

impl Decided {
    /// Makes a decision for an applicant who has a phone and no WeChat account.
    pub fn by_phone(number: String, phone: impl Into<String>) -> Self {
        Self { number, phone: phone.into(), openid: None }
    }

    /// Returns the messages about the case on all channels. A message that came over two channels counts twice.
    fn messages<'a>(&self, phones: &'a BTreeMap<String, Vec<ShownMessage>>) -> impl Iterator<Item = &'a ShownMessage> {
        let addresses = [Some(&self.phone), self.openid.as_ref()].into_iter().flatten();
        addresses.filter_map(|address| phones.get(address)).flatten().filter(|message| message.says(&self.number))
    }

    fn orders<'a>(&self, parcels: &'a [HeldParcel]) -> impl Iterator<Item = &'a HeldParcel> {
        parcels.iter().filter(|parcel| parcel.recipient.phone == self.phone && parcel.state == "live")
    }
}

/// Waits until a message and a courier order have arrived for each decision, and until no job is left. Then asserts
/// that nothing arrived twice.
pub async fn assert_arrived_once(desk: &Desk, decided: &[Decided]) {
    let outside = desk.outside();
    let mut missing = Vec::new();
    let arrived = wait::until("decisions at phones and doors", TIMEOUT, async || {
        let phones = outside.phones().await?;
        let parcels = outside.parcels().await?;
        let came = |one: &Decided| one.messages(&phones).next().is_some() && one.orders(&parcels).next().is_some();
        missing = decided.iter().filter(|one| !came(one)).map(|one| one.number.clone()).collect();
        Ok(missing.is_empty().then_some(()))
    });
    let arrived = arrived.await;
    assert!(arrived.is_ok(), "{arrived:?}: {missing:?}: {:#?}", desk.unfinished().await);
    desk.finish().await;
    let phones = outside.phones().await.unwrap();
    let parcels = outside.parcels().await.unwrap();
    for one in decided {
        let messages: Vec<ShownMessage> = one.messages(&phones).cloned().collect();
        assert_eq!(messages.len(), 1, "{}: {messages:?}", one.number);
        told_once(&messages, &one.number, news::GRANTED).unwrap_or_else(|mishap| panic!("{mishap}: {messages:?}"));
        let orders: Vec<&HeldParcel> = one.orders(&parcels).collect();
        assert_eq!(orders.len(), 1, "one live order for {}: {orders:?}", one.number);
    }
}

/// Waits until each phone shows a message that the parcel is delivered, and until no job is left. Then asserts that no
/// message came twice.
pub async fn assert_delivered_once(desk: &Desk, decided: &[Decided]) {
    let outside = desk.outside();
    let arrived = wait::until("parcels at doors", TIMEOUT, async || {
        let phones = outside.phones().await?;
        let came = |one: &Decided| one.messages(&phones).any(|message| message.says(news::DELIVERED));
        Ok(decided.iter().all(came).then_some(()))
    });
    let arrived = arrived.await;
    assert!(arrived.is_ok(), "{arrived:?}: {:#?}", desk.unfinished().await);
    desk.finish().await;
    let phones = outside.phones().await.unwrap();
    for one in decided {
        let messages: Vec<ShownMessage> = one.messages(&phones).cloned().collect();
        let checks = [news::GRANTED, news::DELIVERED].map(|news| told_once(&messages, &one.number, news));
        let checks = checks.into_iter().chain([each_message_once(&messages, &one.number)]);
        checks.collect::<Played<()>>().unwrap_or_else(|mishap| panic!("{mishap}: {messages:?}"));
    }
}
