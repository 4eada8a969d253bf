//! An officer calls a parcel back: before it is collected it is cancelled, and nobody follows it any more; after that it is
//! too late, as often as it is asked.

use serde_json::json;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;

use crate::support::acts::correct_delivery;
use crate::support::desk::{Desk, wait_until};

/// A parcel that the post has, and the officer in charge.
struct Scene {
    desk: Desk,
    resident: Resident,
    officer: DeskOfficer,
    case: String,
    parcel: String,
}

impl Scene {
    async fn open() -> Self {
        let mut desk = Desk::open().await;
        desk.leave_jobs();
        let (resident, _) = desk.resident().await;
        let address = resident.add_address().await.unwrap();
        let draft = resident.draft("JT-0045", &json!({"way": "courier", "address": address})).await.unwrap();
        let case = resident.submit(&draft).await.unwrap().id;
        let officer = desk.officer("public-security").await;
        officer.accept(&case).await.unwrap();
        officer.grant(&case, &json!({"title": "居住证"})).await.unwrap();
        let mut scene = Self { desk, resident, officer, case, parcel: String::new() };
        scene.wait_for_order().await;
        scene
    }

    /// Waits until the post has the last parcel, and looks at that one from then on.
    async fn wait_for_order(&mut self) {
        let last = async || self.officer.parcels(&self.case).await.unwrap().pop().unwrap();
        wait_until("it is ordered", async || last().await["state"] == "ordered").await;
        self.parcel = last().await["id"].as_str().unwrap().to_owned();
    }

    /// How often the resident was told that a parcel is cancelled, and how often the timeline says so.
    async fn told(&self) -> [usize; 2] {
        let inbox = self.resident.inbox(&self.case).await.unwrap();
        let timeline = self.resident.timeline(&self.case).await.unwrap();
        let told = inbox.iter().filter(|event| *event == "parcel_cancelled").count();
        [told, timeline.iter().filter(|step| step["kind"] == "parcel_cancelled").count()]
    }

    /// The officer asks for the cancellation; what the desk answers.
    async fn cancel(&self) -> u16 {
        let path = format!("/staff/v1/parcels/{}/cancellation", self.parcel);
        self.officer.caller().post(&path).answer().await.unwrap().status.as_u16()
    }

    async fn state(&self) -> String {
        let path = format!("/staff/v1/parcels/{}", self.parcel);
        self.officer.caller().get(&path).success().await.unwrap().text("/state").unwrap()
    }

    /// How the attempts at a kind of job ended.
    async fn attempts(&self, kind: &str) -> Vec<String> {
        let outcomes =
            "select a.outcome from attempts a join jobs j on j.id = a.job_id where j.kind = $1 order by a.fence";
        sqlx::query_scalar(outcomes).bind(kind).fetch_all(&self.desk.database).await.unwrap()
    }

    async fn close(self) {
        self.desk.close().await;
    }
}

#[tokio::test]
async fn a_parcel_that_is_called_back_goes_nowhere_and_nobody_follows_it() {
    let scene = Scene::open().await;
    assert_eq!(scene.cancel().await, 202);
    wait_until("it is cancelled", async || scene.state().await == "cancelled").await;
    let phone = scene.resident.applicant.phone;
    let [held] = &scene.desk.outside().parcels_to(phone).await.unwrap()[..] else { panic!("one order") };
    assert_eq!(held.state, "cancelled");
    assert_eq!(scene.cancel().await, 409, "it is cancelled already");

    let look_now = "update jobs set due_at = now(), offered_at = null where kind = 'track_parcel'";
    sqlx::query(look_now).execute(&scene.desk.database).await.unwrap();
    let followed = "select state <> 'done' from jobs where kind = 'track_parcel'";
    let at_rest = async || !sqlx::query_scalar::<_, bool>(followed).fetch_one(&scene.desk.database).await.unwrap();
    wait_until("nobody follows it", at_rest).await;
    assert_eq!(scene.state().await, "cancelled");
    scene.close().await;
}

#[tokio::test]
async fn whoever_waits_is_told_of_each_parcel_that_is_called_back() {
    let mut scene = Scene::open().await;
    let caller = scene.resident.caller().clone();
    for times in 1..=2 {
        assert_eq!(scene.cancel().await, 202);
        wait_until("the resident is told", async || scene.told().await == [times; 2]).await;
        let address = scene.resident.add_address().await.unwrap();
        let corrected = correct_delivery(&caller, &scene.case, &address, "*").await;
        assert_eq!(corrected.status.as_u16(), 200, "{}", corrected.body);
        scene.wait_for_order().await;
    }
    let held = scene.desk.outside().parcels_to(scene.resident.applicant.phone).await.unwrap();
    let live = held.iter().filter(|parcel| parcel.state == "live").count();
    assert_eq!((held.len(), live), (3, 1), "two are cancelled: {held:?}");
    scene.close().await;
}

#[tokio::test]
async fn a_call_that_came_too_late_may_be_made_again() {
    let scene = Scene::open().await;
    let world = scene.desk.sandbox.world();
    world.parcels.collect("ems", scene.resident.applicant.phone, world.now());
    for asked in 1..=2 {
        assert_eq!(scene.cancel().await, 202);
        let tried = async || scene.attempts("cancel_parcel").await == vec!["too_late"; asked];
        wait_until("the post says that it is too late", tried).await;
        assert_eq!(scene.state().await, "ordered", "nobody told us yet");
    }
    scene.close().await;
}
