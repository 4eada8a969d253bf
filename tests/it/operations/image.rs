//! The container image is built, and the product's main job is played in the containers that `compose.yaml` starts.
//! Skipped without a container engine.

use std::io::Write as _;
use std::process::Stdio;

use tokio::process::Command;

#[tokio::test]
async fn the_main_job_works_in_containers() {
    if !has_docker().await {
        let _ = writeln!(std::io::stderr(), "skipped: the image needs Docker with Compose");
        return;
    }
    let played = Command::new("script/test-image").output().await.unwrap();
    let printed = String::from_utf8_lossy(&played.stdout);
    let log = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success() && printed.lines().any(|line| line.starts_with("PASS")), "{printed}{log}");
}

/// True if a container engine answers and Compose is installed. Docker's client alone proves nothing: it is often
/// installed without an engine.
async fn has_docker() -> bool {
    let answers = |arguments: &[&str]| {
        let mut docker = Command::new("docker");
        docker.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    let (engine, compose) = tokio::join!(answers(&["info"]), answers(&["compose", "version"]));
    [engine, compose].into_iter().all(|answer| answer.is_ok_and(|status| status.success()))
}
