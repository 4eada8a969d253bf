//! Points at which a test can kill a process: every boundary between two steps of a job.
//!
//! `SONGDA_KILL_AT=called` makes a development build send itself SIGKILL when it comes to that boundary: no destructor
//! runs, nothing is flushed, as when the power fails. `called@courier.ems` waits for a job of that lane. The deployed
//! program does not read it.

/// The lane of a boundary that belongs to no lane.
pub const NO_LANE: &str = "";

/// The boundaries, in the order in which a job passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The decision is committed; its jobs are not offered.
    Committed,
    /// A ring was read; the job is not claimed.
    Heard,
    /// The job is claimed; nothing else happened.
    Claimed,
    /// The call is prepared; the gateway is not called.
    Prepared,
    /// The gateway answered; the end is not recorded.
    Called,
    /// The end is recorded; the ring is not acknowledged.
    Settled,
    /// The ring is acknowledged.
    Acknowledged,
}

impl Boundary {
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

/// Passes a boundary with a job of a lane, or dies there if a test says so.
#[cfg(feature = "development")]
pub fn pass(boundary: Boundary, lane: &str) {
    use std::sync::LazyLock;
    static DIE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SONGDA_KILL_AT").ok());
    let Some(order) = DIE_AT.as_deref() else { return };
    let (at, with) = order.split_once('@').unwrap_or((order, lane));
    if at == boundary.name() && with == lane {
        let own = std::process::id().to_string();
        let killed = std::process::Command::new("kill").args(["-KILL", &own]).status();
        tracing::error!(?killed, "the kill point did not kill");
        std::process::abort();
    }
}

#[cfg(not(feature = "development"))]
#[inline]
pub const fn pass(_: Boundary, _: &str) {}
