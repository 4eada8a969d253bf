//! Both the mini-program and WeChat report a tap in WeChat's dialog. The two reports count as one consent.

use crate::support::consents::{balance, report, tap};
use crate::support::desk::Desk;

#[tokio::test]
async fn a_tap_reported_by_the_client_and_then_by_wechat_is_one_consent() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    report(&resident, "accept").await;
    tap(&desk, resident.openid(), "accept").await;
    assert_eq!(balance(&resident).await, 1);
    desk.close().await;
}

#[tokio::test]
async fn a_tap_reported_by_wechat_first_is_one_consent_and_a_refusal_withdraws_all() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    tap(&desk, resident.openid(), "accept").await;
    assert_eq!(balance(&resident).await, 1, "reported by WeChat only");
    report(&resident, "accept").await;
    assert_eq!(balance(&resident).await, 1, "the client reports the same tap");
    report(&resident, "accept").await;
    assert_eq!(balance(&resident).await, 2, "the client reports a second tap");
    tap(&desk, resident.openid(), "switch_off").await;
    assert_eq!(balance(&resident).await, 0);
    desk.close().await;
}
