//! Background tasks of a process, and how they stop.
//!
//! **Soft stop** (`SIGTERM`, `Ctrl-C`): tasks begin nothing new, and finish what is under way. **Hard stop** (a second
//! signal, or the end of the grace period): tasks are dropped in the middle. Even then no job is lost: when the lease
//! of an interrupted job ends, another worker takes over the job.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A group of tasks that stop together. Cloning shares the group.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled when tasks should begin nothing new.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task of this group. It should end soon after [`Tasks::stopping`] is cancelled.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Asks all tasks to stop, and waits for them. Returns true if all stopped within the grace period.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait()).await.is_ok()
    }
}

/// Waits until the operating system asks this process to stop.
pub async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "no SIGTERM handler; only Ctrl-C stops this process"),
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "no Ctrl-C handler; this process stops when it is killed");
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_soft_stop_waits_for_running_tasks() {
        let tasks = Tasks::new();
        let stopping = tasks.stopping();
        let (done, finished) = tokio::sync::oneshot::channel();
        tasks.spawn(async move {
            stopping.cancelled().await;
            let _ = done.send(());
        });
        assert!(tasks.stop(Duration::from_secs(5)).await);
        assert!(finished.await.is_ok());
    }

    #[tokio::test]
    async fn a_task_that_hangs_is_reported() {
        let tasks = Tasks::new();
        tasks.spawn(std::future::pending());
        assert!(!tasks.stop(Duration::from_millis(1)).await);
    }
}
