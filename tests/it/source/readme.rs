//! The commands below "Play on" work, in the English and the Chinese README. They are run as printed, with the
//! addresses and the password of a test installation (desk).

use std::fs;

use tokio::process::Command;

use crate::support::desk::Desk;
use crate::support::people::PASSWORD;
use crate::support::wait::wait_until;

/// The phone of the resident in the READMEs.
const PHONE: &str = "13912345678";
/// The password of the officers that `script/run` adds.
const DEMO_PASSWORD: &str = "songda-demo-password";

#[tokio::test]
async fn the_commands_of_the_readme_work() {
    assert_commands_work("README.md", "## Play on").await;
}

#[tokio::test]
async fn the_commands_of_the_chinese_readme_work() {
    assert_commands_work("README.zh-CN.md", "## 自己试试").await;
}

async fn assert_commands_work(readme: &str, heading: &str) {
    let desk = Desk::open().await;
    let played = Command::new("bash").args(["-c", &script(&desk, readme, heading)]).output().await.unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success() && words.contains(r#""state":"granted""#), "{readme}: {words}");

    let outside = desk.outside();
    let notified = async || outside.phone(PHONE).await.unwrap().iter().any(|message| message.says("准予办理"));
    wait_until("the SMS arrives", notified).await;
    let ordered = async || outside.parcels_to(PHONE).await.unwrap().len() == 1;
    wait_until("the parcel is ordered", ordered).await;
    desk.close().await;
}

/// Returns the commands below a heading, with this desk's addresses and password.
fn script(desk: &Desk, readme: &str, heading: &str) -> String {
    let text = fs::read_to_string(readme).unwrap();
    let (_, after) = text.split_once(heading).unwrap_or_else(|| panic!("{readme} has no {heading}"));
    let part = after.split("\n## ").next().unwrap();
    let blocks: Vec<&str> = part.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2, "the resident's commands and the officer's");
    let api = desk.api.base().as_str().trim_end_matches('/');
    let sandbox = desk.sandbox.base_url();
    let addresses = format!("api={api} sandbox={sandbox}\n");
    let commands = blocks.concat().replace(DEMO_PASSWORD, PASSWORD);
    let (placeholder, rest) = commands.split_once('\n').unwrap();
    assert!(placeholder.starts_with("api=http"), "{placeholder}");
    format!("set -eu\n{addresses}{rest}")
}
