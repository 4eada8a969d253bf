//! From the phone to the doorbell, as the player of `songda demo` plays it.

use songda::demo::journeys;

use crate::support::desk::Desk;

#[tokio::test]
async fn a_certificate_comes_over_wechat_and_by_the_post() {
    let desk = Desk::open().await;
    journeys::certificate(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    desk.close().await;
}

#[tokio::test]
async fn a_licence_comes_over_sms_and_by_courier_to_whom_refused_wechat() {
    let desk = Desk::open().await;
    journeys::licence(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    desk.close().await;
}
