//! An officer asks to cancel a parcel. If the carrier has not collected the parcel yet, it is cancelled and no longer
//! tracked. After the collection every cancellation is refused as too late.

use crate::support::acts::correct_delivery;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::Handled;
use crate::support::wait::wait_until;

/// A granted case whose parcel is ordered at EMS.
struct OrderedParcel {
    desk: Desk,
    granted: Handled,
    parcel: String,
}

impl OrderedParcel {
    async fn new() -> Self {
        let mut desk = Desk::open().await;
        desk.leave_jobs();
        let granted = desk.journey(ITEM).by_courier().submitted().accepted().granted().await;
        let mut ordered = Self { desk, granted, parcel: String::new() };
        ordered.wait_for_order().await;
        ordered
    }

    /// Waits until the case's last parcel is ordered. From then on `self.parcel` is that parcel.
    async fn wait_for_order(&mut self) {
        let last = async || self.granted.officer.parcels(&self.granted.id).await.unwrap().pop().unwrap();
        wait_until("the parcel is ordered", async || last().await["state"] == "ordered").await;
        self.parcel = last().await["id"].as_str().unwrap().to_owned();
    }

    /// Returns how many cancellations the resident's inbox and the timeline show.
    async fn cancellations_shown(&self) -> [usize; 2] {
        let inbox = self.granted.resident.inbox(&self.granted.id).await.unwrap();
        let timeline = self.granted.resident.timeline(&self.granted.id).await.unwrap();
        let notified = inbox.iter().filter(|event| *event == "parcel_cancelled").count();
        [notified, timeline.iter().filter(|step| step["kind"] == "parcel_cancelled").count()]
    }

    /// The officer asks for the cancellation. Returns the status of the answer.
    async fn cancel(&self) -> u16 {
        let path = format!("/staff/v1/parcels/{}/cancellation", self.parcel);
        self.granted.officer.caller().post(&path).answer().await.unwrap().status.as_u16()
    }

    async fn state(&self) -> String {
        let path = format!("/staff/v1/parcels/{}", self.parcel);
        self.granted.officer.caller().get(&path).success().await.unwrap().text("/state").unwrap()
    }

    /// Returns the outcomes of the attempts at jobs of this kind.
    async fn outcomes(&self, kind: &str) -> Vec<String> {
        let outcomes =
            "select a.outcome from attempts a join jobs j on j.id = a.job_id where j.kind = $1 order by a.fence";
        sqlx::query_scalar(outcomes).bind(kind).fetch_all(&self.desk.database).await.unwrap()
    }

    async fn close(self) {
        self.desk.close().await;
    }
}

#[tokio::test]
async fn a_cancelled_parcel_goes_nowhere_and_is_no_longer_tracked() {
    let ordered = OrderedParcel::new().await;
    assert_eq!(ordered.cancel().await, 202);
    wait_until("the parcel is cancelled", async || ordered.state().await == "cancelled").await;
    let phone = ordered.granted.resident.phone();
    let [held] = &ordered.desk.outside().parcels_to(phone).await.unwrap()[..] else { panic!("one order") };
    assert_eq!(held.state, "cancelled");
    assert_eq!(ordered.cancel().await, 409, "it is cancelled already");

    ordered.desk.execute("update jobs set due_at = now(), offered_at = null where kind = 'track_parcel'").await;
    let is_done = "select state = 'done' from jobs where kind = 'track_parcel'";
    wait_until("the tracking ends", async || ordered.desk.scalar(is_done).await).await;
    assert_eq!(ordered.state().await, "cancelled");
    ordered.close().await;
}

#[tokio::test]
async fn a_resident_is_notified_of_every_cancelled_parcel() {
    let mut ordered = OrderedParcel::new().await;
    let caller = ordered.granted.resident.caller().clone();
    for times in 1..=2 {
        assert_eq!(ordered.cancel().await, 202);
        wait_until("the resident is notified", async || ordered.cancellations_shown().await == [times; 2]).await;
        let address = ordered.granted.resident.add_address().await.unwrap();
        let corrected = correct_delivery(&caller, &ordered.granted.id, &address, "*").await;
        assert_eq!(corrected.status.as_u16(), 200, "{}", corrected.body);
        ordered.wait_for_order().await;
    }
    let held = ordered.desk.outside().parcels_to(ordered.granted.resident.phone()).await.unwrap();
    let live = held.iter().filter(|parcel| parcel.state == "live").count();
    assert_eq!((held.len(), live), (3, 1), "two are cancelled: {held:?}");
    ordered.close().await;
}

#[tokio::test]
async fn a_cancellation_that_was_too_late_can_be_asked_for_again() {
    let ordered = OrderedParcel::new().await;
    let world = ordered.desk.sandbox.world();
    world.parcels.collect("ems", ordered.granted.resident.phone(), world.now());
    for asked in 1..=2 {
        assert_eq!(ordered.cancel().await, 202);
        let tried = async || ordered.outcomes("cancel_parcel").await == vec!["too_late"; asked];
        wait_until("EMS answers that it is too late", tried).await;
        assert_eq!(ordered.state().await, "ordered", "the carrier has not reported the collection yet");
    }
    ordered.close().await;
}
