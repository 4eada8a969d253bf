//! Offers put the ids of due jobs on the streams: the relay right after a commit, the sweeper for all that was missed.

mod offering;
pub mod relay;
pub mod sweeper;
