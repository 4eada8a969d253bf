//! Checks the storage for uploads by writing, reading and deleting a file.

use songda::env::Env;
use songda::files::Files;

use super::causes::with_causes;
use super::finding::Finding;

pub const GROUP: &str = "uploads";

pub async fn look() -> Vec<Finding> {
    let mut env = Env::of_process();
    let advice = "make sure that the storage in SONGDA_UPLOADS exists, is not full, and lets this user write";
    let Some(files) = Files::read(&mut env) else {
        let faults = env.faults().iter().map(|fault| Finding::fault(GROUP, "place", fault, advice));
        return faults.collect();
    };
    vec![match files.try_out().await {
        Ok(()) => Finding::ok(GROUP, "place", "a file was written, read and deleted"),
        Err(error) => Finding::fault(GROUP, "place", with_causes(&error), advice),
    }]
}
