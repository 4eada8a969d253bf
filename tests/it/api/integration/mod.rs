//! The integration API (`/integration/v1`), one file a noun.

mod concurrent_results;
mod repeated_results;
mod result_batches;
mod results;
mod token;
