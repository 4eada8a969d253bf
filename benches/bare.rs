//! The framework with nothing of ours in it, as a process of its own: what an answer costs at the least.

use crate::Measured;

/// The argument that makes this program the bare server.
pub const ROLE: &str = "bare-server";

/// Serves until it is killed.
pub fn run() -> Measured<()> {
    Ok(())
}
