//! What a worker does beside jobs: sweeping, housekeeping, heartbeats and health.

pub mod abandoned;
pub mod health;
pub mod heartbeat;
pub mod housekeeper;
pub mod sweeper;
