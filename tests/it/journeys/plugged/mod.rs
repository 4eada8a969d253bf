//! A channel and a carrier that Songda does not ship. Each is one folder here, and one line in [`registry`]. They are
//! outside the crate `songda`, so no code of the crate can know them. The tests show that notifications and parcels
//! still arrive over them.

mod catalog;
mod pigeon;
mod runner;

use serde_json::{Value, json};
use songda::demo::sandbox::{HeldParcel, each_message_once};
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::InstallationId;
use songda::registry::Registry;
use songda::sandbox::faults::FaultKind;
use songda::sandbox::phones::PhoneMessage;

use self::catalog::Plugged;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::Case;
use crate::support::people::Person;
use crate::support::wait::wait_until;

/// Returns the registry of production with one more line for the channel and one for the carrier.
fn registry() -> Registry {
    Registry::shipped()
        .channel(pigeon::ADAPTER, pigeon::sandbox::twin) // 信鸽
        .carrier(runner::ADAPTER, runner::sandbox::twin) // 跑腿
}

const SETTINGS: [(&str, &str); 3] = [
    ("SONGDA_CHANNELS", "pigeon,wechat,sms_aliyun"),
    ("SONGDA_CARRIERS", "runner,ems"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
];
const LOFT: &str = "loft-under-the-roof";

#[tokio::test]
async fn a_plugged_channel_notifies_and_a_plugged_carrier_delivers() {
    let keeper = PigeonKeeper::new().await;
    let granted = keeper.granted().await;
    let parcel = keeper.walk_to_the_door(&granted).await;
    keeper.assert_notified(LOFT, &granted).await;
    assert!(keeper.messages(keeper.resident.phone(), &granted).is_empty(), "one channel is enough");
    assert_eq!((parcel.asked, parcel.state.as_str()), (1, "live"));
    keeper.wait_for_step(&granted, "notified", "/channel", "pigeon").await;
    keeper.wait_for_step(&granted, "parcel_scanned", "/text/en", "Delivered").await;
    keeper.desk.close().await;
}

#[tokio::test]
async fn a_plugged_channel_whose_address_is_gone_gives_way_to_the_next() {
    let keeper = PigeonKeeper::new().await;
    keeper.desk.fault("pigeon", FaultKind::UnknownNumber).on("note").once();
    let granted = keeper.granted().await;
    keeper.walk_to_the_door(&granted).await;
    keeper.assert_notified(keeper.resident.phone(), &granted).await;
    assert!(keeper.messages(LOFT, &granted).is_empty());
    let notes = keeper.desk.sandbox.world().counters.get("pigeon", "note");
    assert_eq!(notes, 1, "the address that is gone is not used again");
    keeper.desk.close().await;
}

#[tokio::test]
async fn an_order_at_a_plugged_carrier_whose_answer_was_lost_is_found_and_not_repeated() {
    let keeper = PigeonKeeper::new().await;
    keeper.desk.fault("runner", FaultKind::TimeoutAfterCommit).on("run").once();
    let granted = keeper.granted().await;
    let parcel = keeper.walk_to_the_door(&granted).await;
    assert_eq!(parcel.asked, 1);
    let counters = &keeper.desk.sandbox.world().counters;
    assert_eq!((counters.get("runner", "run"), counters.get("runner", "look up")), (1, 1));
    keeper.desk.close().await;
}

/// A resident whose device is registered at the channel `pigeon`, and a catalogue in which only the carrier `runner`
/// carries the result of [`ITEM`].
struct PigeonKeeper {
    desk: Desk,
    resident: Person,
}

impl PigeonKeeper {
    async fn new() -> Self {
        let catalog = Plugged::write();
        let builder = Desk::builder().gateways(registry()).catalog(catalog.folder()).settings(&SETTINGS);
        let desk = builder.open().await;
        let resident = desk.resident().await;
        let device = json!({
            "platform": "android", "push_channel": "pigeon", "push_token": LOFT, "app_version": "1", "os_version": "16",
            "language": "zh-CN", "push_permission": "granted",
        });
        let path = format!("/v1/devices/{}", fresh(InstallationId::from_uuid));
        resident.caller().put(&path).json(&device).success().await.unwrap();
        Self { desk, resident }
    }

    /// Makes a granted case of the resident. Its result goes by courier.
    async fn granted(&self) -> Case {
        let journey = self.desk.journey(ITEM).by(&self.resident).by_courier();
        journey.submitted().accepted().granted().await.case
    }

    /// Moves the parcel from stop to stop, and waits at each until Songda knows it. Returns the only order that any
    /// carrier has.
    async fn walk_to_the_door(&self, case: &Case) -> HeldParcel {
        let parcel = async || self.resident.parcel(&case.id).await.unwrap();
        wait_until("the parcel has a waybill", async || parcel().await.is_some()).await;
        for state in ["picked_up", "out_for_delivery", "delivered"] {
            self.desk.sandbox.sandbox().advance_all(1);
            wait_until(state, async || parcel().await.is_some_and(|parcel| parcel["state"] == state)).await;
        }
        let parcels = self.desk.outside().parcels().await.unwrap();
        let [parcel] = &parcels[..] else { panic!("{} orders for one parcel", parcels.len()) };
        assert_eq!(parcel.carrier, "runner");
        parcel.clone()
    }

    /// Returns the messages about a case at an address.
    fn messages(&self, address: &str, case: &Case) -> Vec<PhoneMessage> {
        let messages = self.desk.sandbox.world().phones.of(address);
        messages.into_iter().filter(|message| message.fields.values().any(|field| *field == case.number)).collect()
    }

    /// Waits until three messages are at an address, one about the decision and two about the parcel. Asserts that each
    /// came once.
    async fn assert_notified(&self, address: &str, case: &Case) {
        wait_until("three messages arrive", async || self.messages(address, case).len() == 3).await;
        each_message_once(&self.desk.outside().phone(address).await.unwrap(), &case.number).unwrap();
    }

    /// Waits until the timeline has a step of this kind with these words at this JSON pointer.
    async fn wait_for_step(&self, case: &Case, kind: &str, pointer: &str, words: &str) {
        let says =
            |step: &Value| step.pointer(pointer).and_then(Value::as_str).is_some_and(|text| text.contains(words));
        let has_step = async || {
            let steps = self.resident.timeline(&case.id).await.unwrap();
            steps.iter().any(|step| step["kind"] == kind && says(step))
        };
        wait_until(words, has_step).await;
    }
}
