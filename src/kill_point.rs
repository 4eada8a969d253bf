//! Where a process may be killed in a test: every boundary between two steps of keeping a promise.
//!
//! `SONGDA_KILL_AT=called` makes a development build send itself SIGKILL when it comes to that boundary: no destructor
//! runs, nothing is flushed, as when the power fails. `called@courier.ems` waits for a job of that lane. The deployed program
//! does not read it.

/// Of what no lane is about.
pub const NO_LANE: &str = "";

/// The boundaries, in the order in which a promise passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The decision is committed; nobody was told of its jobs.
    Committed,
    /// A ring was heard; the job is not claimed.
    Heard,
    /// The job is claimed; nothing else is done.
    Claimed,
    /// All is prepared; the gateway is not called.
    Prepared,
    /// The gateway answered; nobody wrote it down.
    Called,
    /// The end is written down; the ring is not acknowledged.
    Settled,
    /// All is done.
    Acknowledged,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Committed, Self::Heard, Self::Claimed, Self::Prepared, Self::Called, Self::Settled, Self::Acknowledged];

    /// Its name in `SONGDA_KILL_AT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Heard => "heard",
            Self::Claimed => "claimed",
            Self::Prepared => "prepared",
            Self::Called => "called",
            Self::Settled => "settled",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// Passes a boundary with a job of a lane, or of none; or dies there, if a test said so.
#[cfg(feature = "development")]
pub fn pass(step: Step, lane: &str) {
    use std::sync::LazyLock;
    static DIE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SONGDA_KILL_AT").ok());
    let Some(order) = DIE_AT.as_deref() else { return };
    let (at, with) = order.split_once('@').unwrap_or((order, lane));
    if at == step.name() && with == lane {
        let own = std::process::id().to_string();
        let killed = std::process::Command::new("kill").args(["-KILL", &own]).status();
        tracing::error!(?killed, "the kill point did not kill");
        std::process::abort();
    }
}

/// Passes a boundary.
#[cfg(not(feature = "development"))]
#[inline]
pub const fn pass(_: Step, _: &str) {}
