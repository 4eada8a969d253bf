//! A resident without WeChat is notified by SMS.

use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::Handled;
use crate::support::wait::wait_until;

#[tokio::test]
async fn a_resident_who_signed_in_by_sms_is_notified_by_sms() {
    let desk = Desk::open().await;
    let granted: Handled = desk.journey(ITEM).by_sms().submitted().accepted().granted().await;
    let phone = granted.resident.phone();
    let notified = async || desk.outside().phone(phone).await.unwrap().iter().any(|sms| sms.says(&granted.number));
    wait_until("the SMS arrives", notified).await;
    assert_eq!(granted.resident.inbox(&granted.id).await.unwrap(), ["accepted", "granted"]);
    desk.close().await;
}
