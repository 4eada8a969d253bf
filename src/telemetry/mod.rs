//! What a running process sends out about itself: [`logs`] to standard error, [`traces`] to a collector. Its metrics
//! are pulled instead (`metrics`).

pub mod logs;
pub mod traces;
