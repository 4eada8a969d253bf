//! The integration API (`/integration/v1`), a file for each noun; results have several.

mod concurrent_results;
mod repeated_results;
mod result_batches;
mod results;
mod token;
