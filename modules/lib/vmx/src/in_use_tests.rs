//! Signs of use, and names that are no text.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::tests::{OLD, lab, replace};
use super::{InUse, Stored};

fn in_use(path: &Path) -> Vec<InUse> {
    Stored::read(path).unwrap().in_use(path)
}

#[test]
fn signs_of_use_are_found_beside_the_file_and_the_link() {
    let (lab, path) = lab();
    let real = fs::canonicalize(lab.path()).unwrap();
    assert_eq!(in_use(&path), []);
    for name in
        ["y.vmss", "x-0123abcd.vmsn", "x-123.vmss", "x-0123abcx.vmss", "x.vmx.lck~", "x.vmxf", "xx-0123abcd.vmss"]
    {
        fs::write(lab.path().join(name), "").unwrap();
    }
    assert_eq!(in_use(&path), []);

    let links = TempDir::new().unwrap();
    let link = links.path().join("l.vmx");
    symlink(&path, &link).unwrap();
    fs::create_dir(lab.path().join("x.vmx.lck")).unwrap();
    fs::write(lab.path().join("x.vmx~"), "").unwrap();
    fs::write(lab.path().join("x.vmss"), "").unwrap();
    fs::write(lab.path().join("x-0123abCD.vmss"), "").unwrap();
    fs::write(links.path().join("l.vmx.lck"), "").unwrap();
    let mut expected = vec![
        InUse::Locked(links.path().join("l.vmx.lck")),
        InUse::Locked(real.join("x.vmx.lck")),
        InUse::Running(real.join("x.vmx~")),
        InUse::Suspended(real.join("x-0123abCD.vmss")),
        InUse::Suspended(real.join("x.vmss")),
    ];
    expected.sort();
    assert_eq!(in_use(&link), expected);
    assert_eq!(in_use(&path).len(), 4);
    let sentence = format!("{} shows that the VM is running", real.join("x.vmx~").display());
    assert!(in_use(&link).iter().any(|sign| sign.to_string() == sentence));
}

#[test]
fn the_file_itself_may_say_that_its_vm_is_suspended() {
    for (entry, suspended) in [
        ("checkpoint.vmState = \"\"", false),
        ("checkpoint.vmState =", false),
        ("checkpoint.vmState.readOnly = \"x\"", false),
        ("Checkpoint.vmstate = \"x-0123abcd.vmss\"", true),
        ("checkpoint.vmState = \"\"\ncheckpoint.vmState = \"x.vmss\"", true),
    ] {
        let (_lab, path) = lab();
        fs::write(&path, format!("{OLD}{entry}\n")).unwrap();
        let expected = if suspended { vec![InUse::Suspended(path.clone())] } else { vec![] };
        assert_eq!(in_use(&path), expected, "{entry}");
    }
}

#[test]
fn names_need_not_be_utf8() {
    let (lab, path) = lab();
    let name = |name: &[u8]| lab.path().join(OsStr::from_bytes(name));
    fs::rename(path, name(b"\xe9.vmx")).unwrap();
    fs::write(name(b"\xe9-0123abcd.vmss"), "").unwrap();
    assert_eq!(in_use(&name(b"\xe9.vmx")), [InUse::Suspended(name(b"\xe9-0123abcd.vmss"))]);
    let backup = replace(&Stored::read(&name(b"\xe9.vmx")).unwrap(), true).unwrap().unwrap();
    assert!(backup.file_name().unwrap().as_bytes().starts_with(b"\xe9.vmx.2"));
}
