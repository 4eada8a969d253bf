//! A client generated from `openapi/mobile.json` by a well-kept generator type-checks, and plays the resident's part.

use std::process::Stdio;

use songda::demo::form::{Applicant, fill};
use songda::demo::fresh_key;
use songda::domain::clock::{Clock, beijing_day, fresh};
use songda::domain::ids::DraftId;
use tokio::process::Command;

use crate::harness::Desk;

/// 居民身份证挂失申报: told electronically, so that nothing but the resident is needed.
const ITEM: &str = "JT-0047";
const APPLICANT: Applicant =
    Applicant { name: "王小明", resident_id: "320422198506150024", phone: "13912340001", home: "清风路1号" };

#[tokio::test]
async fn a_generated_client_plays_the_residents_part() {
    if !has_node().await {
        eprintln!("skipped: Node 20 or newer is not here, and the TypeScript client needs it");
        return;
    }
    let desk = Desk::open().await;
    let guide = desk.api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap();
    let today = beijing_day(Clock::system().now());
    let form = fill(guide.at("/form").unwrap(), &APPLICANT, "", today);
    let played = Command::new("script/test-typescript")
        .env("SONGDA_API_URL", desk.api.base().as_str().trim_end_matches('/'))
        .env("SONGDA_WECHAT_CODE", format!("wx-{}", fresh_key()))
        .env("SONGDA_DRAFT_ID", fresh(DraftId::from_uuid).to_string())
        .env("SONGDA_ITEM", ITEM)
        .env("SONGDA_FORM", form.to_string())
        .output()
        .await
        .unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{words}");
    desk.close().await;
}

async fn has_node() -> bool {
    let version = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";
    let node = Command::new("node").args(["-e", version]).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    node.is_ok_and(|status| status.success()) && npm.is_ok_and(|status| status.success())
}
