//! Clients generated from the documents by a well-kept generator type-check, and the one of `openapi/mobile.json` plays the
//! resident's part.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use songda::demo::form::{Applicant, fill};
use songda::demo::{fresh_key, wait};
use songda::domain::kernel::clock::{Clock, beijing_day, fresh};
use songda::domain::kernel::ids::DraftId;
use tokio::process::Command;

use crate::support::desk::{Desk, PATIENCE};

/// 居住证申领: it takes files, an officer, and a courier.
const ITEM: &str = "JT-0045";
const AGENCY: &str = "public-security";
const APPLICANT: Applicant =
    Applicant { name: "王小明", resident_id: "320422198506150024", phone: "13912340001", home: "清风路1号" };

#[tokio::test]
async fn a_generated_client_plays_the_residents_part() {
    if !has_node().await {
        skipped("Node 20 or newer is not here, and the TypeScript client needs it");
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

/// Accepts and grants what the client submits.
async fn decide(desk: &Desk) {
    let officer = desk.officer(AGENCY).await;
    let mut submitted = None;
    let looked = wait::until("the client submits", PATIENCE, async || {
        let queue = officer.caller().get("/staff/v1/cases").query(&[("state", "submitted")]).success().await?;
        submitted = queue.rows()?.first().and_then(|case| case["id"].as_str().map(str::to_owned));
        Ok(submitted.is_some().then_some(()))
    });
    // Where the client fails before, its own words are the better ones.
    let (Ok(()), Some(case)) = (looked.await, submitted) else { return };
    officer.accept(&case).await.unwrap();
    officer.grant(&case, &json!({"title": "居住证"})).await.unwrap();
}

/// Says it past the runner, which shows nothing of a test that passes.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

async fn has_node() -> bool {
    let version = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";
    let node = Command::new("node").args(["-e", version]).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    node.is_ok_and(|status| status.success()) && npm.is_ok_and(|status| status.success())
}
