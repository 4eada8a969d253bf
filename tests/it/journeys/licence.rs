//! The second journey of `songda demo`.

use songda::demo::journeys;

use crate::support::desk::Desk;

#[tokio::test]
async fn a_licence_arrives_over_sms_and_by_courier_if_the_applicant_refused_wechat() {
    let desk = Desk::open().await;
    journeys::licence(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    desk.close().await;
}
