//! 任务: jobs that a transition adds to the database, and how an attempt with an unknown outcome is settled.

pub mod doubt;
pub mod job;
pub mod outcome;
