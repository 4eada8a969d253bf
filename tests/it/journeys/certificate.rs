//! The first journey of `songda demo`.

use songda::demo::journeys;

use crate::support::desk::Desk;

#[tokio::test]
async fn a_certificate_arrives_over_wechat_and_by_post() {
    let desk = Desk::open().await;
    journeys::certificate(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    desk.close().await;
}
