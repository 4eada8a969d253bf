//! A channel and a carrier that Songda does not ship, each a folder and a line. They stand outside the crate, so nothing
//! in it can know of them; and the whole journey passes with them.

mod catalog;
mod pigeon;
mod runner;

use serde_json::{Value, json};
use songda::demo::resident::{Resident, Submitted};
use songda::demo::sandbox::{HeldParcel, each_message_once};
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::InstallationId;
use songda::registry::Registry;
use songda::sandbox::faults::{FaultKind, FaultOrder, Often};
use songda::sandbox::phones::PhoneMessage;

use self::catalog::{ITEM, Plugged};
use crate::support::desk::{Desk, wait_until};

/// The registry of production with one line for each.
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
async fn the_pigeon_tells_and_the_runner_brings() {
    let scene = Scene::open().await;
    let granted = scene.handle().await;
    let parcel = scene.walk_to_the_door(&granted).await;
    scene.told(LOFT, &granted).await;
    assert!(scene.on(&scene.phone, &granted).is_empty(), "one channel is enough");
    assert_eq!((parcel.asked, parcel.state.as_str()), (1, "live"));
    scene.shows(&granted, "notified", "/channel", "pigeon").await;
    scene.shows(&granted, "parcel_scanned", "/text/en", "Delivered").await;
    scene.close().await;
}

#[tokio::test]
async fn a_loft_that_is_gone_is_forgotten_and_the_next_channel_tells() {
    let scene = Scene::open().await;
    scene.order_fault("pigeon", "note", FaultKind::UnknownNumber);
    let granted = scene.handle().await;
    scene.walk_to_the_door(&granted).await;
    scene.told(&scene.phone, &granted).await;
    assert!(scene.on(LOFT, &granted).is_empty());
    assert_eq!(scene.desk.sandbox.world().counters.get("pigeon", "note"), 1, "nobody asks at that loft again");
    scene.close().await;
}

#[tokio::test]
async fn an_errand_whose_answer_was_lost_is_found_and_not_ordered_again() {
    let scene = Scene::open().await;
    scene.order_fault("runner", "run", FaultKind::TimeoutAfterCommit);
    let granted = scene.handle().await;
    let parcel = scene.walk_to_the_door(&granted).await;
    assert_eq!(parcel.asked, 1);
    let counters = &scene.desk.sandbox.world().counters;
    assert_eq!((counters.get("runner", "run"), counters.get("runner", "look up")), (1, 1));
    scene.close().await;
}

/// A resident who keeps pigeons, and an item that only runners may carry.
struct Scene {
    desk: Desk,
    resident: Resident,
    phone: String,
}

impl Scene {
    async fn open() -> Self {
        let catalog = Plugged::write();
        let desk = Desk::open_plugged(&registry(), catalog.folder(), &SETTINGS).await;
        let (resident, _) = desk.resident().await;
        let device = json!({
            "platform": "android", "push_channel": "pigeon", "push_token": LOFT, "app_version": "1", "os_version": "16",
            "language": "zh-CN", "push_permission": "granted",
        });
        let path = format!("/v1/devices/{}", fresh(InstallationId::from_uuid));
        resident.caller().put(&path).json(&device).success().await.unwrap();
        let phone = resident.applicant.phone.to_owned();
        Self { desk, resident, phone }
    }

    /// Lets the next call of an operation go wrong.
    fn order_fault(&self, gateway: &str, operation: &str, fault: FaultKind) {
        let (gateway, operation, often) = (gateway.to_owned(), Some(operation.to_owned()), Often::Times(1));
        self.desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay: None });
    }

    /// The resident applies, an officer grants.
    async fn handle(&self) -> Submitted {
        let address = self.resident.add_address().await.unwrap();
        let delivery = json!({"way": "courier", "address": address});
        let draft = self.resident.draft(ITEM, &delivery).await.unwrap();
        let case = self.resident.submit(&draft).await.unwrap();
        let officer = self.desk.officer("public-security").await;
        officer.accept(&case.id).await.unwrap();
        let result = json!({"title": "居住证", "number": "IT-0001"});
        officer.grant(&case.id, &result).await.unwrap();
        case
    }

    /// Lets the runner run from stop to stop, each once Songda knows of the last; the one order that any carrier holds.
    async fn walk_to_the_door(&self, case: &Submitted) -> HeldParcel {
        let parcel = async || self.resident.parcel(&case.id).await.unwrap();
        wait_until("a parcel with a waybill", async || parcel().await.is_some()).await;
        for state in ["picked_up", "out_for_delivery", "delivered"] {
            self.desk.sandbox.sandbox().advance_all(1);
            wait_until(state, async || parcel().await.is_some_and(|parcel| parcel["state"] == state)).await;
        }
        let parcels = self.desk.outside().parcels().await.unwrap();
        let [parcel] = &parcels[..] else { panic!("{} orders for one parcel", parcels.len()) };
        assert_eq!(parcel.carrier, "runner");
        parcel.clone()
    }

    /// What an address was told of a case.
    fn on(&self, address: &str, case: &Submitted) -> Vec<PhoneMessage> {
        let messages = self.desk.sandbox.world().phones.of(address);
        messages.into_iter().filter(|message| message.fields.values().any(|field| *field == case.number)).collect()
    }

    /// The decision and both news of the parcel arrive at an address, each once.
    async fn told(&self, address: &str, case: &Submitted) {
        wait_until("all news", async || self.on(address, case).len() == 3).await;
        each_message_once(&self.desk.outside().phone(address).await.unwrap(), &case.number).unwrap();
    }

    /// The timeline has a step of this kind with these words at this place.
    async fn shows(&self, case: &Submitted, kind: &str, place: &str, words: &str) {
        wait_until(words, async || {
            let steps = self.resident.timeline(&case.id).await.unwrap();
            let says =
                |step: &Value| step.pointer(place).and_then(Value::as_str).is_some_and(|text| text.contains(words));
            steps.iter().any(|step| step["kind"] == kind && says(step))
        })
        .await;
    }

    async fn close(self) {
        self.desk.close().await;
    }
}
