use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::{Error, Lock, Stored, scratch};
use crate::document::Document;

pub const OLD: &str = "config.version = \"8\"\r\nreplay.supported = \"FALSE\"\r\n";
const NEW: &str = "config.version = \"8\"\r\nreplay.supported = \"TRUE\"\r\n";

/// A directory with `x.vmx` in it.
pub fn lab() -> (TempDir, PathBuf) {
    let lab = TempDir::new().unwrap();
    let path = lab.path().join("x.vmx");
    fs::write(&path, OLD).unwrap();
    (lab, path)
}

pub fn new() -> Document {
    Document::parse(NEW.as_bytes().to_vec()).unwrap()
}

/// Replaces the file by [`new`], under the lock.
pub fn replace(stored: &Stored, backup: bool) -> Result<Option<PathBuf>, Error> {
    stored.replace(&Lock::try_acquire(&stored.path).unwrap(), &new(), backup)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn the_file_is_replaced_with_its_mode_and_owner() {
    let (lab, path) = lab();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    // A killed run left this a moment ago. Whoever holds the lock need not wait until it is old.
    File::create(lab.path().join(".x.vmx.nested-vft-123-0")).unwrap();
    // Whoever is not root can only keep what is their own.
    if is_root() {
        chown(&path, Some(1234), Some(5678)).unwrap();
    }
    let before = fs::metadata(&path).unwrap();

    let stored = Stored::read(&path).unwrap();
    assert_eq!((stored.document.bytes(), &stored.link, &stored.path), (OLD.as_bytes(), &None, &path));
    assert_eq!((stored.meta.mode, stored.meta.uid, stored.meta.len), (0o640, before.uid(), OLD.len() as u64));
    assert_eq!(replace(&stored, false).unwrap(), None);

    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(names(lab.path()), ["x.vmx"]);
}

#[test]
fn a_link_is_reported_and_stays_one() {
    let (lab, path) = lab();
    let link = lab.path().join("link.vmx");
    symlink("x.vmx", &link).unwrap();

    let stored = Stored::read(&link).unwrap();
    assert_eq!(stored.link.as_deref(), Some(Path::new("x.vmx")));
    assert_eq!(stored.path, fs::canonicalize(&path).unwrap());
    replace(&stored, false).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
}

#[test]
fn a_backup_holds_the_old_bytes_with_mode_and_owner() {
    let (lab, path) = lab();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let mut backups = Vec::new();
    // Most of them within one second: names that are taken are left alone.
    for _ in 0..3 {
        fs::write(&path, OLD).unwrap();
        backups.push(replace(&Stored::read(&path).unwrap(), true).unwrap().unwrap());
    }
    // The first has no number behind its time.
    let first = backups[0].file_name().unwrap().len();
    assert_eq!(first, "x.vmx.0000-00-00_000000.bak".len());
    backups.sort();
    backups.dedup();
    assert_eq!((backups.len(), names(lab.path()).len()), (3, 4));
    for backup in backups {
        assert_eq!(fs::read_to_string(&backup).unwrap(), OLD);
        assert_eq!(fs::metadata(&backup).unwrap().mode() & 0o7777, 0o600);
        let name = backup.file_name().unwrap().to_str().unwrap();
        let stamp = name.strip_prefix("x.vmx.").and_then(|rest| rest.strip_suffix(".bak")).unwrap();
        let shape: String = stamp.chars().take(17).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00_000000", "{name}");
    }
}

#[test]
fn a_file_that_is_not_the_one_read_is_left_alone() {
    let change = |path: &Path, change: &str| match change {
        "content and length" => fs::write(path, "config.version = \"9\"").unwrap(),
        "content, but neither length nor time" => {
            let time = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(path, OLD.replace("FALSE", "false")).unwrap();
            File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }
        "time" => {
            let earlier = SystemTime::now() - Duration::from_secs(60);
            File::options().write(true).open(path).unwrap().set_modified(earlier).unwrap();
        }
        "inode" => {
            let time = fs::metadata(path).unwrap().modified().unwrap();
            let copy = path.with_extension("copy");
            fs::write(&copy, OLD).unwrap();
            File::options().write(true).open(&copy).unwrap().set_modified(time).unwrap();
            fs::rename(copy, path).unwrap();
        }
        "a link to the same file" => {
            fs::rename(path, path.with_file_name("moved.vmx")).unwrap();
            symlink("moved.vmx", path).unwrap();
        }
        "mode" => fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap(),
        "kind" => {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }
        _ => fs::remove_file(path).unwrap(),
    };
    for what in [
        "content and length",
        "content, but neither length nor time",
        "time",
        "inode",
        "mode",
        "kind",
        "a link to the same file",
        "gone",
    ] {
        let (lab, path) = lab();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let stored = Stored::read(&path).unwrap();
        change(&path, what);
        let before = fs::read(&path).ok();
        let error = replace(&stored, true).unwrap_err();
        assert!(matches!(&error, Error::Stale { path: stale } if *stale == path), "{what}: {error}");
        assert_eq!(fs::read(&path).ok(), before, "{what}");
        let left = match what {
            "gone" => vec![],
            "a link to the same file" => vec!["moved.vmx", "x.vmx"],
            _ => vec!["x.vmx"],
        };
        assert_eq!(names(lab.path()), left, "{what}");
    }
}

#[test]
fn stale_temporary_files_are_removed_and_no_others() {
    let ago = |minutes: u64| SystemTime::now() - Duration::from_secs(minutes * 60);
    let old = ago(11);
    // Its age in minutes; whether a file goes if this run is alone in the directory, and if it may not be.
    let all = [
        (".x.vmx.nested-vft-123-0", 11, (true, true)),
        (".x.vmx.nested-vft-123-1", 9, (true, false)),
        (".x.vmx.nested-vft-123", 11, (false, false)),
        (".x.vmx.nested-vft-123-0-0", 11, (false, false)),
        (".x.vmx.nested-vft-123-a", 11, (false, false)),
        (".x.vmx.nested-vft--0", 11, (false, false)),
        (".y.vmx.nested-vft-123-0", 11, (false, false)),
        ("x.vmx.nested-vft-123-0", 11, (false, false)),
    ];
    for alone in [true, false] {
        let (lab, _) = lab();
        for (name, age, _) in all {
            File::create(lab.path().join(name)).unwrap().set_modified(ago(age)).unwrap();
        }
        fs::create_dir(lab.path().join(".x.vmx.nested-vft-124-0")).unwrap();
        File::open(lab.path().join(".x.vmx.nested-vft-124-0")).unwrap().set_modified(old).unwrap();
        let link = lab.path().join(".x.vmx.nested-vft-125-0");
        symlink("x.vmx", &link).unwrap();
        assert!(Command::new("touch").args(["-h", "-d", "2001-02-03"]).arg(&link).status().unwrap().success());

        scratch::sweep(lab.path(), "x.vmx".as_ref(), alone);
        for (name, _, (goes_alone, goes)) in all {
            assert_eq!(!lab.path().join(name).exists(), if alone { goes_alone } else { goes }, "{name}, {alone}");
        }
        assert!(lab.path().join(".x.vmx.nested-vft-124-0").is_dir() && link.is_symlink());
    }
}

#[test]
fn a_directory_is_locked_once_at_a_time() {
    let (_lab, path) = lab();
    let other = path.with_file_name("other.vmx");
    let lock = Lock::try_acquire(&path).unwrap();
    assert!(lock.covers(&other) && !lock.covers(Path::new("/x.vmx")));
    assert!(Lock::try_acquire(&other).is_none());
    drop(lock);
    assert!(Lock::try_acquire(&other).is_some());
}

#[test]
fn what_is_no_vmx_file_is_refused_unopened() {
    let (lab, _) = lab();
    let path = |name: &str| lab.path().join(name);
    // A reader that opened it would wait here for ever.
    assert!(Command::new("mkfifo").arg(path("fifo.vmx")).status().unwrap().success());
    fs::create_dir(path("directory.vmx")).unwrap();
    symlink("fifo.vmx", path("link.vmx")).unwrap();
    File::create(path("large.vmx")).unwrap().set_len(4 * 1024 * 1024 + 1).unwrap();
    fs::write(path("other.vmx"), "hello").unwrap();
    for (name, expected) in [
        ("directory.vmx", "directory.vmx is a directory, not a .vmx file"),
        ("fifo.vmx", "fifo.vmx is a FIFO, not a .vmx file"),
        ("link.vmx", "fifo.vmx is a FIFO, not a .vmx file"),
        ("/dev/null", "/dev/null is a device, not a .vmx file"),
        ("large.vmx", "large.vmx is larger than 4 MiB: this is not a .vmx file"),
        ("other.vmx", "other.vmx: this is not a .vmx file: it has neither config.version nor virtualHW.version"),
    ] {
        let error = Stored::read(&path(name)).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(error.io_kind(), None);
    }
    let missing = Stored::read(&path("missing.vmx")).unwrap_err();
    assert_eq!(missing.io_kind(), Some(ErrorKind::NotFound));
    assert!(missing.to_string().starts_with(&format!("cannot read {}: ", path("missing.vmx").display())), "{missing}");
}

#[test]
fn a_file_of_16_mib_is_read() {
    let (_lab, path) = lab();
    let mut bytes = OLD.as_bytes().to_vec();
    bytes.resize(4 * 1024 * 1024, b'#');
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Stored::read(&path).unwrap().document.bytes().len(), bytes.len());
}

/// Root may write anywhere, so root runs this test as another user.
#[test]
fn missing_rights_are_told_and_nothing_is_left() {
    const LAB: &str = "NESTED_VFT_TEST_LAB";
    if let Some(lab) = std::env::var_os(LAB) {
        return without_rights(Path::new(&lab));
    }
    let (lab, path) = lab();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    fs::write(lab.path().join("secret.vmx"), OLD).unwrap();
    fs::set_permissions(lab.path().join("secret.vmx"), Permissions::from_mode(0o000)).unwrap();
    if is_root() {
        use std::os::unix::process::CommandExt;
        // The test binary may be in a folder that other users cannot read.
        let tools = TempDir::new().unwrap();
        let copy = tools.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        for directory in [&tools, &lab] {
            fs::set_permissions(directory.path(), Permissions::from_mode(0o555)).unwrap();
        }
        let mut run = Command::new(copy);
        run.args(["--exact", "store::tests::missing_rights_are_told_and_nothing_is_left", "--nocapture"]);
        let output = run.env(LAB, lab.path()).current_dir("/").uid(65_534).gid(65_534).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
    } else {
        fs::set_permissions(lab.path(), Permissions::from_mode(0o555)).unwrap();
        without_rights(lab.path());
        fs::set_permissions(lab.path(), Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(names(lab.path()), ["secret.vmx", "x.vmx"]);
}

fn without_rights(lab: &Path) {
    let path = lab.join("x.vmx");
    let error = replace(&Stored::read(&path).unwrap(), true).unwrap_err();
    assert_eq!(error.io_kind(), Some(ErrorKind::PermissionDenied));
    assert!(error.to_string().contains(&lab.display().to_string()), "{error}");
    assert_eq!(fs::read_to_string(path).unwrap(), OLD);

    let error = Stored::read(&lab.join("secret.vmx")).unwrap_err();
    assert_eq!(error.io_kind(), Some(ErrorKind::PermissionDenied));
}

#[test]
fn a_name_that_leaves_no_room_for_a_temporary_one_is_an_error() {
    let (lab, path) = lab();
    // Names have 255 bytes at most.
    let long = path.with_file_name(format!("{}.vmx", "x".repeat(235)));
    fs::rename(path, &long).unwrap();
    let error = replace(&Stored::read(&long).unwrap(), true).unwrap_err();
    assert!(matches!(error, Error::Io { action: "create", .. }), "{error}");
    assert_eq!(names(lab.path()), [long.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(fs::read_to_string(long).unwrap(), OLD);
}
