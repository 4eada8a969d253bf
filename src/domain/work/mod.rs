//! Jobs (任务): the work to do, the outcomes of attempts at it, and what to do about a message of unknown outcome.

pub mod doubt;
pub mod job;
pub mod outcome;
