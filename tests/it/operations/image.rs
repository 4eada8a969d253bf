//! The image is built, and the main job is played in what compose.yaml starts: where there is a container engine.

use std::io::Write as _;
use std::process::Stdio;

use tokio::process::Command;

#[tokio::test]
async fn the_main_job_is_played_in_containers() {
    if !has_docker().await {
        let _ = writeln!(std::io::stderr(), "skipped: no Docker with Compose is here, and the image needs one");
        return;
    }
    let played = Command::new("script/test-image").output().await.unwrap();
    let (said, log) = (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success() && said.lines().any(|line| line.starts_with("PASS")), "{said}{log}");
}

/// Whether an engine answers; the client alone is often there without one.
async fn has_docker() -> bool {
    let answers = |arguments: &[&str]| {
        let mut docker = Command::new("docker");
        docker.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    let (engine, compose) = tokio::join!(answers(&["info"]), answers(&["compose", "version"]));
    [engine, compose].into_iter().all(|answer| answer.is_ok_and(|status| status.success()))
}
