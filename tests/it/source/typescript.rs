//! Generates TypeScript clients from the OpenAPI documents and type-checks them. The client of `openapi/mobile.json`
//! then plays a resident's whole journey, from the sign-in to the parcel and the inbox.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use songda::demo::form::{Applicant, fill};
use songda::demo::{fresh_key, wait};
use songda::domain::kernel::clock::{Clock, beijing_day, fresh};
use songda::domain::kernel::ids::DraftId;
use tokio::process::Command;

use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::wait::TIMEOUT;

const APPLICANT: Applicant =
    Applicant { name: "王小明", resident_id: "320422198506150024", phone: "13912340001", home: "清风路1号" };

#[tokio::test]
async fn a_generated_client_goes_through_a_residents_journey() {
    if !has_node().await {
        skipped("the TypeScript client needs Node 20 or newer");
        return;
    }
    let desk = Desk::open().await;
    let guide = desk.api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap();
    let today = beijing_day(Clock::system().now());
    let form = fill(guide.at("/form").unwrap(), &APPLICANT, "", today);
    let play = Command::new("script/test-typescript")
        .env("SONGDA_API_URL", desk.api.base().as_str().trim_end_matches('/'))
        .env("SONGDA_WECHAT_CODE", format!("wx-{}", fresh_key()))
        .env("SONGDA_DRAFT_ID", fresh(DraftId::from_uuid).to_string())
        .env("SONGDA_ITEM", ITEM)
        .env("SONGDA_FORM", form.to_string())
        .output();
    let (played, ()) = tokio::join!(play, decide(&desk));
    let played = played.unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{words}");
    desk.close().await;
}

/// Accepts and grants the case that the client submits.
async fn decide(desk: &Desk) {
    let officer = desk.officer(AGENCY).await;
    let mut submitted = None;
    let looked = wait::until("the client submits", TIMEOUT, async || {
        let queue = officer.caller().get("/staff/v1/cases").query(&[("state", "submitted")]).success().await?;
        submitted = queue.rows()?.first().and_then(|case| case["id"].as_str().map(str::to_owned));
        Ok(submitted.is_some().then_some(()))
    });
    // If the client fails before it submits, no case comes. The test then fails with the client's own message.
    if looked.await.is_err() {
        return;
    }
    let case = submitted.unwrap();
    officer.accept(&case).await.unwrap();
    officer.grant(&case, &json!({"title": "居住证"})).await.unwrap();
}

/// Prints why the test is skipped, directly to standard error: the test runner hides what a passing test prints in the
/// usual way.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

async fn has_node() -> bool {
    let version = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";
    let node = Command::new("node").args(["-e", version]).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    node.is_ok_and(|status| status.success()) && npm.is_ok_and(|status| status.success())
}
