//! What the README says to copy is copied, in both languages, and works: the parts of its "Play on" are run as they stand
//! there, against a desk.

use std::fs;

use tokio::process::Command;

use crate::support::desk::{Desk, PASSWORD, wait_until};

/// The number of the resident in the README.
const PHONE: &str = "13912345678";
/// The password of the officers that `script/run` makes.
const PASSWORD_OF_THE_DEMO: &str = "songda-demo-password";

#[tokio::test]
async fn what_the_readme_says_to_copy_works() {
    plays("README.md", "## Play on").await;
}

#[tokio::test]
async fn what_the_chinese_readme_says_to_copy_works() {
    plays("README.zh-CN.md", "## 自己试试").await;
}

async fn plays(readme: &str, heading: &str) {
    let desk = Desk::open().await;
    let played = Command::new("bash").args(["-c", &script(&desk, readme, heading)]).output().await.unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success() && words.contains(r#""state":"granted""#), "{readme}: {words}");

    let outside = desk.outside();
    let told = async || outside.phone(PHONE).await.unwrap().iter().any(|message| message.says("准予办理"));
    wait_until("the phone tells of the decision", told).await;
    let ordered = async || outside.parcels_to(PHONE).await.unwrap().len() == 1;
    wait_until("the parcel is ordered", ordered).await;
    desk.close().await;
}

/// The commands beneath a heading, with this desk's addresses and password in them.
fn script(desk: &Desk, readme: &str, heading: &str) -> String {
    let text = fs::read_to_string(readme).unwrap();
    let (_, after) = text.split_once(heading).unwrap_or_else(|| panic!("{readme} has no {heading}"));
    let part = after.split("\n## ").next().unwrap();
    let blocks: Vec<&str> = part.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2, "the resident's commands and the officer's");
    let (api, sandbox) = (desk.api.base().as_str().trim_end_matches('/'), desk.sandbox.base_url());
    let addresses = format!("api={api} sandbox={sandbox}\n");
    let commands = blocks.concat().replace(PASSWORD_OF_THE_DEMO, PASSWORD);
    let (placeholder, rest) = commands.split_once('\n').unwrap();
    assert!(placeholder.starts_with("api=http"), "{placeholder}");
    format!("set -eu\n{addresses}{rest}")
}
