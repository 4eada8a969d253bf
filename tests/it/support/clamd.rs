//! ClamAV's daemon, as Debian packages it, with signatures of the tests' own.

use std::fs;
use std::process::Stdio;

use songda::demo::fresh_key;
use tokio::net::{TcpListener, UnixStream};
use tokio::process::{Child, Command};

use super::folder::Folder;
use super::judges;
use super::wait::wait_until;

/// A text that the scanner finds in any file. It is harmless.
pub const MARKER: &str = "SONGDA-TEST-MARKER-7f3c";
/// The test file of EICAR, which every scanner knows. It is written backwards, so that no scanner finds this source.
pub fn eicar() -> String {
    r"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X".chars().rev().collect()
}

/// A running scanner. It is killed when it is dropped.
pub struct Scanner {
    process: Child,
    /// The values of `SONGDA_CLAMD`: by TCP and by its socket.
    pub addresses: [String; 2],
    folder: Folder,
}

impl Scanner {
    /// Prepares a scanner that is not started yet; `None` if the machine has no clamd.
    pub async fn prepared() -> Option<PreparedScanner> {
        let found = Command::new("clamd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if !found.is_ok_and(|status| status.success()) {
            judges::missing("clamd", "apt-get install clamav-daemon");
            return None;
        }
        let folder = Folder::create();
        let signatures = folder.join("signatures");
        fs::create_dir(&signatures).unwrap();
        // name:target type (0: any file):offset (*: anywhere):bytes
        let lines = [("Songda.Test.Marker", MARKER.to_owned()), ("Eicar-Test-Signature", eicar())];
        let lines = lines.map(|(name, text)| format!("{name}:0:*:{}\n", hex::encode(text)));
        fs::write(signatures.join("test.ndb"), lines.concat()).unwrap();
        // A free port. Between this and the start another program could take it; then the start fails.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        // The path of a socket has at most 107 bytes.
        let socket = std::env::temp_dir().join(format!("clamd-{}", fresh_key()));
        let settings = format!(
            "Foreground yes\nDatabaseDirectory {}\nLocalSocket {}\nTCPAddr 127.0.0.1\nTCPSocket {port}\nSelfCheck 0\n\
             LogFile {}\nConcurrentDatabaseReload no\n",
            signatures.display(),
            socket.display(),
            folder.join("clamd.log").display(),
        );
        fs::write(folder.join("clamd.conf"), settings).unwrap();
        let addresses = [format!("tcp://127.0.0.1:{port}"), format!("unix://{}", socket.display())];
        Some(PreparedScanner { folder, addresses })
    }
}

/// A scanner that is not started yet.
pub struct PreparedScanner {
    folder: Folder,
    /// The values of `SONGDA_CLAMD`: by TCP and by its socket.
    pub addresses: [String; 2],
}

impl PreparedScanner {
    /// Starts the scanner, and waits until it answers.
    pub async fn start(self) -> Scanner {
        let Self { folder, addresses } = self;
        let settings = format!("--config-file={}", folder.path_of("clamd.conf"));
        let mut command = Command::new("clamd");
        command.arg(settings).kill_on_drop(true).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let socket = addresses[1].trim_start_matches("unix://").to_owned();
        wait_until("clamd answers", async || UnixStream::connect(&socket).await.is_ok()).await;
        Scanner { process, addresses, folder }
    }
}

impl Scanner {
    pub async fn stop(mut self) {
        self.process.kill().await.unwrap();
        let _ = fs::remove_file(self.addresses[1].trim_start_matches("unix://"));
        drop(self.folder);
    }
}
