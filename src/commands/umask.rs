//! The permissions of new files.

/// From now on, files and folders that this process creates can be read by its own user only.
pub fn keep_others_out() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}
