//! The integration API (`/integration/v1`), with one file for each kind of resource, and several files for results.

mod concurrent_results;
mod repeated_results;
mod result_batches;
mod results;
mod token;
