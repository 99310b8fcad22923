use std::os::unix::fs::PermissionsExt;

use super::*;

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

/// A directory for one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vsphere-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_directory_is_private_and_removed() {
    let base = Scratch::new("socket");
    let (one, listener) = PrivateSocket::bind(&base.0).unwrap();
    let (other, _) = PrivateSocket::bind(&base.0).unwrap();
    assert_ne!(one.path(), other.path());
    let mode = fs::metadata(one.path().parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    assert_eq!(entries(&base.0), 2);
    drop((one, other, listener));
    assert_eq!(entries(&base.0), 0);
}

#[tokio::test]
async fn an_unusable_temporary_directory_is_named() {
    let base = Scratch::new("no-socket");
    let long = base.0.join("x".repeat(100));
    fs::create_dir(&long).unwrap();
    for (directory, says) in [(long.clone(), "its path is too long"), (base.0.join("missing"), "No such file")] {
        let error = PrivateSocket::bind(&directory).unwrap_err().to_string();
        assert!(error.contains(&*directory.to_string_lossy()), "{error}");
        assert!(error.contains(says) && error.contains("TMPDIR"), "{error}");
    }
    assert_eq!(entries(&long), 0);
}
