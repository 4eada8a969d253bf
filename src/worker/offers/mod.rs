//! Offers due jobs to workers: puts their ids on the Redis stream of their lane. The relay does it right after a
//! commit; the sweeper finds the jobs whose offer was missed or lost.

mod offering;
pub mod relay;
pub mod sweeper;
