//! A password that is made at each start, and read from a file by clients on the same machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The user whose password is in the file (Core's `COOKIEAUTH_USER`).
pub const COOKIE_USER: &str = "__cookie__";

/// A file with a random password, which is there as long as this is.
pub(super) struct Cookie {
    path: PathBuf,
    content: String,
}

impl Cookie {
    /// Writes the file anew, readable by this user alone. A reader finds the old one or the new one, and no half of one.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let content = format!("{COOKIE_USER}:{}", super::hex::encode(&random));
        let mut beside = path.as_os_str().to_owned();
        beside.push(".tmp");
        let beside = PathBuf::from(beside);
        match fs::remove_file(&beside) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        // `create_new` follows no link that somebody laid here, and takes no file whose mode is another's choice.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        let written = file
            .write_all(content.as_bytes())
            .and_then(|()| fs::rename(&beside, path));
        if let Err(why) = written {
            let _ = fs::remove_file(&beside);
            return Err(why);
        }
        let path = path.to_owned();
        Ok(Cookie { path, content })
    }

    pub(super) fn password(&self) -> &str {
        self.content.split_once(':').map_or("", |(_, password)| password)
    }
}

impl Drop for Cookie {
    fn drop(&mut self) {
        // Whoever was started after us with the same path has put another in its place, which is not ours to remove.
        if fs::read(&self.path).is_ok_and(|content| content == self.content.as_bytes()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
