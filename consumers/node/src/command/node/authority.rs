//! The key that vouches for the node, in a file.

use crate::failure::Failure;
use sockman_sv2::wire::{Authority, Chance};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// More than any key has.
const MOST: u64 = 1024;

/// Reads the key, or makes one if there is no file. Who else may read it could pass for this node: then it is refused.
pub(super) fn load(path: &Path, chance: &mut Chance) -> Result<Authority, Failure> {
    match File::open(path) {
        Ok(file) => read(path, &file),
        Err(why) if why.kind() == ErrorKind::NotFound => make(path, chance),
        Err(why) => Err(Failure::system(format!("read {}", path.display()))(why)),
    }
}

fn read(path: &Path, file: &File) -> Result<Authority, Failure> {
    let cannot = || Failure::system(format!("read {}", path.display()));
    let mode = file.metadata().map_err(cannot())?.mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "{path} has a secret key, and others may read it: chmod 600 {path}"
        )));
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).map_err(cannot())?;
    let key = text.trim().parse();
    key.map_err(|why| {
        Failure::Usage(format!(
            "{} does not have an authority's secret key: {why}",
            path.display()
        ))
    })
}

/// The file is there whole or not at all, also if the machine stops meanwhile.
fn make(path: &Path, chance: &mut Chance) -> Result<Authority, Failure> {
    let authority = Authority::generate(chance);
    let write = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // For nobody else to read, and under a name that nobody else has.
        let mut file = tempfile::Builder::new()
            .prefix(".sv2-key-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        writeln!(file, "{}", authority.secret())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        Ok(())
    };
    write().map_err(Failure::system(format!("write {}", path.display())))?;
    Ok(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_and_for_nobody_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        let first = load(&path, &mut Chance::new([1; 32])).expect("it is made");
        assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o777, 0o600);
        let again = load(&path, &mut Chance::new([2; 32])).expect("it is read");
        assert_eq!(again.key(), first.key());
        let names = fs::read_dir(dir.path()).expect("a directory").count();
        assert_eq!(names, 1, "nothing else is left behind");
    }

    #[test]
    fn what_is_no_key_is_told_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        let told = |mode, text: &str| {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("changed");
            let why = load(&path, &mut Chance::new([1; 32])).expect_err("it is refused");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
            why.to_string()
        };
        assert!(told(0o600, "").contains("does not have an authority's secret key"));
        assert!(told(0o600, "zmBEm").contains("does not have an authority's secret key"));
        let public = "9bDuixKmZqAJnrmP746n8zU1wyAQRrus7th9dxnkPg6RzQvCnan";
        assert!(told(0o600, public).contains("does not have an authority's secret key"));
        assert!(told(0o640, "zmBEmPhqo3A92FkiLVvyCz6htc3e53ph3ZbD4ASqGaLjwnFLi").contains("chmod 600"));
    }
}
