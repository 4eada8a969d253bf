//! A sealed value that is moved to another row does not open there. So a person who can write the database, and has no
//! key, cannot sign in with a code that was sent to another phone, and cannot send a result to another address.

use serde_json::json;
use songda::demo::fresh_phone;

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::wait::wait_until;

/// Asks for a code, and returns it as the phone shows it.
async fn code_on(desk: &Desk, phone: &str) -> String {
    // A number gets one code a minute, and a test does not wait that long.
    desk.execute("update login_codes set created_at = created_at - interval '2 minutes'").await;
    let before = desk.outside().phone(phone).await.unwrap().len();
    desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
    let shown = async || desk.outside().phone(phone).await.unwrap().len() > before;
    wait_until("the code is on the phone", shown).await;
    desk.outside().phone(phone).await.unwrap().last().unwrap().fields["code"].clone()
}

#[tokio::test]
async fn a_code_of_another_number_opens_no_account_even_if_the_database_is_changed() {
    let desk = Desk::open().await;
    let victim = desk.resident_by_sms().await;
    let intruder = fresh_phone();
    // The victim's row is the newer one of the two.
    let own_code = code_on(&desk, &intruder).await;
    code_on(&desk, victim.phone()).await;
    let sign_in = async || {
        let proof = json!({"phone": victim.phone(), "code": own_code});
        desk.api.post("/v1/sessions/sms").json(&proof).answer().await.unwrap()
    };

    desk.execute(
        "update login_codes set code_sealed = (select code_sealed from login_codes order by created_at desc offset 1 limit 1)
         where id = (select id from login_codes order by created_at desc limit 1)",
    )
    .await;
    assert_problem(&sign_in().await, 500, "internal");
    // The other way round: the row with the known code gets the hash by which the victim's codes are found.
    desk.execute(
        "update login_codes set created_at = now() + interval '1 second',
             phone_hash = (select phone_hash from login_codes order by created_at desc limit 1)
         where id = (select id from login_codes order by created_at desc offset 1 limit 1)",
    )
    .await;
    assert_problem(&sign_in().await, 500, "internal");
    desk.close().await;
}

#[tokio::test]
async fn a_result_is_sent_to_no_address_of_another_case() {
    let desk = Desk::open().await;
    let accepted = desk.journey(ITEM).by_courier().submitted().accepted().await;
    let other = desk.journey(ITEM).by_courier().submitted().await;
    let moved =
        "update cases set recipient_sealed = (select recipient_sealed from cases where number = $2) where number = $1";
    sqlx::query(moved).bind(&accepted.number).bind(&other.number).execute(&desk.database).await.unwrap();
    let decision = accepted.grant(accepted.officer.caller(), "moved").await.unwrap();
    assert_problem(&decision, 500, "internal");
    assert_eq!(desk.count("select count(*) from parcels").await, 0);
    desk.close().await;
}
