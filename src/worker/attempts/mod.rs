//! One attempt at a job: its context, and the decision that turns a gateway's response into the attempt's conclusion.

mod attempt;
mod conclusion;
mod repeat;
mod verdict;

pub use attempt::{Attempt, Progress, broken_off};
pub use conclusion::{Conclusion, Contact};
pub use repeat::again_or_dead;
pub use verdict::{PushVerdict, lost, no_carrier, on_carrier_fault, on_push, plainer};
