use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use super::{Cache, Entry, Error, Key, folder};

fn key(user: &str) -> Key {
    Key { server: "https://vc:443".to_owned(), username: user.to_owned(), trust: "system".to_owned() }
}

fn cache() -> (TempDir, Cache) {
    let home = tempdir().unwrap();
    let cache = Cache::at(&home.path().join("nested_vft")).unwrap();
    (home, cache)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_session_is_stored_for_its_key_alone_and_only_its_user_can_read_it() {
    let (_home, cache) = cache();
    assert_eq!(cache.load(&key("a")).unwrap(), None);
    let entry = Entry::new(key("a"), "cookie".to_owned());
    assert!(cache.store(&entry, None).unwrap());
    assert_eq!(cache.load(&key("a")).unwrap(), Some(entry.clone()));
    assert_eq!(cache.load(&key("b")).unwrap(), None);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cache.folder), mode(&cache.path(&entry.key))), (0o700, 0o600));
    assert!(!format!("{entry:?}").contains("cookie"));
}

#[test]
fn of_two_runs_that_log_in_at_once_the_first_one_stores_its_session() {
    let (_home, cache) = cache();
    let [first, second, third] = ["1", "2", "3"].map(|session| Entry::new(key("a"), session.to_owned()));
    assert!(cache.store(&first, None).unwrap());
    assert!(!cache.store(&second, None).unwrap(), "another run has stored one meanwhile");
    assert!(cache.store(&third, Some(&first)).unwrap(), "the one that was read has expired");
    assert!(!cache.store(&second, Some(&first)).unwrap());
    cache.remove(&first).unwrap();
    assert_eq!(cache.load(&key("a")).unwrap(), Some(third.clone()), "it has taken the place of the removed one");
    cache.remove(&third).unwrap();
    assert_eq!(cache.load(&key("a")).unwrap(), None);
}

#[test]
fn a_file_that_must_not_be_trusted_is_not_used_and_is_replaced() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 9] = [
        ("damaged", |path| fs::write(path, "{").unwrap()),
        ("damaged", |path| fs::write(path, "").unwrap()),
        ("damaged", |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text.replace("\"old\"", "\"0ld\"")).unwrap();
        }),
        ("another version", |path| {
            let entry = Entry::new(key("a"), "old".to_owned());
            let old = serde_json::json!({ "format": 1, "key": entry.key, "created": entry.created, "session": "old" });
            fs::write(path, old.to_string()).unwrap();
        }),
        ("another server or user", |path| {
            fs::write(path, Entry::new(key("b"), "old".to_owned()).to_bytes()).unwrap();
        }),
        ("other users", |path| set_mode(path, 0o640)),
        ("symbolic link", |path| {
            let moved = path.with_extension("moved");
            fs::rename(path, &moved).unwrap();
            symlink(&moved, path).unwrap();
        }),
        ("not a regular file", |path| {
            fs::remove_file(path).unwrap();
            let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
            set_mode(path, 0o600);
        }),
        ("damaged", |path| fs::write(path, vec![b' '; 1024 * 1024]).unwrap()),
    ];
    for (reason, spoil) in cases {
        let (_home, cache) = cache();
        let [old, new] = ["old", "new"].map(|session| Entry::new(key("a"), session.to_owned()));
        cache.store(&old, None).unwrap();
        spoil(&cache.path(&key("a")));
        let error = cache.load(&key("a")).unwrap_err();
        let damaged = matches!(error, Error::Damaged { .. });
        assert!(
            (damaged || matches!(error, Error::Unusable { .. })) && error.to_string().contains(reason),
            "{reason}: {error}"
        );
        let (usable, others) = cache.list().unwrap();
        assert_eq!((usable.len(), others.len()), (0, 1), "{reason}");
        let file = cache.path(&key("a"));
        assert_eq!(cache.remove_damaged(&file).unwrap(), damaged, "{reason}");
        assert_eq!(file.symlink_metadata().is_err(), damaged, "{reason}");
        assert!(cache.store(&new, None).unwrap(), "{reason}");
        assert_eq!(cache.load(&key("a")).unwrap(), Some(new), "{reason}");
    }
}

#[test]
fn a_folder_that_others_can_use_is_refused() {
    let home = tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("open")).unwrap();
    set_mode(&path("open"), 0o755);
    fs::create_dir(path("own")).unwrap();
    set_mode(&path("own"), 0o700);
    symlink(path("own"), path("link")).unwrap();
    fs::write(path("file"), "").unwrap();
    for (name, usable) in [("open", false), ("own", true), ("link", false), ("file", false), ("new/deep", true)] {
        assert_eq!(Cache::at(&path(name)).is_ok(), usable, "{name}");
    }
}

#[test]
fn the_folder_is_the_users_own() {
    let of = |variables: &[(&str, &str)]| {
        folder::of_user(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    };
    let all = [("XDG_RUNTIME_DIR", "/run/user/1"), ("XDG_CACHE_HOME", "/cache"), ("HOME", "/home/a")];
    for (variables, expected) in [
        (&all[..], "/run/user/1/nested_vft"),
        (&all[1..], "/cache/nested_vft"),
        (&all[2..], "/home/a/.cache/nested_vft"),
        (&[("XDG_RUNTIME_DIR", "relative"), ("HOME", "/home/a")], "/home/a/.cache/nested_vft"),
    ] {
        assert_eq!(of(variables).unwrap(), PathBuf::from(expected));
    }
    assert!(matches!(of(&[("HOME", "")]), Err(Error::NoFolder)));
}

#[test]
fn what_a_killed_run_left_is_removed_and_never_read() {
    let (_home, cache) = cache();
    fs::write(cache.folder.join(".4711"), "{\"format\":1").unwrap();
    assert_eq!(cache.list().unwrap().0, []);
    cache.store(&Entry::new(key("a"), "x".to_owned()), None).unwrap();
    assert!(!cache.folder.join(".4711").exists());
}
