//! Points at which a test can kill a process. There is one at every boundary between two steps of a job.
//!
//! `SONGDA_KILL_AT=called` makes a development build send itself SIGKILL at the boundary `called`. As in a power
//! failure, no destructor runs and nothing is flushed. With `SONGDA_KILL_AT=called@courier.ems` it does so only for
//! jobs of the lane `courier.ems`. The deployed program does not read this variable.

/// The `lane` with which [`pass`] is called at [`Boundary::Committed`]. One commit can add jobs of several lanes, so
/// this boundary belongs to no lane.
pub const NO_LANE: &str = "";

/// The boundaries, in the order in which a job reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// A transaction, for example that of a decision, is committed; its jobs are not offered to Redis yet.
    Committed,
    /// A ring (the notice from Redis that a job is due) is read; the job is not claimed yet.
    Heard,
    /// The job is claimed; its request to the gateway is not prepared yet.
    Claimed,
    /// The request is prepared; the gateway is not called yet.
    Prepared,
    /// The gateway answered; the outcome is not recorded yet.
    Called,
    /// The outcome is recorded; the ring is not acknowledged yet.
    Settled,
    /// The ring is acknowledged.
    Acknowledged,
}

impl Boundary {
    pub const ALL: [Self; 7] =
        [Self::Committed, Self::Heard, Self::Claimed, Self::Prepared, Self::Called, Self::Settled, Self::Acknowledged];

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

/// Called when a job of `lane` reaches a boundary. Kills the process if `SONGDA_KILL_AT` names this boundary, and names
/// either this lane or no lane.
#[cfg(feature = "development")]
pub fn pass(boundary: Boundary, lane: &str) {
    use std::sync::LazyLock;
    static DIE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SONGDA_KILL_AT").ok());
    let Some(order) = DIE_AT.as_deref() else { return };
    let (at, with) = order.split_once('@').unwrap_or((order, lane));
    if at == boundary.name() && with == lane {
        let own = std::process::id().to_string();
        let killed = std::process::Command::new("kill").args(["-KILL", &own]).status();
        tracing::error!(?killed, "the kill point could not kill the process");
        std::process::abort();
    }
}

#[cfg(not(feature = "development"))]
#[inline]
pub const fn pass(_: Boundary, _: &str) {}
