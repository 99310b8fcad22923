//! Registered machines on a stand-in host whose datastores are folders of the test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod host;

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use esxcli::{Error, VimCmd};
use host::{Host, soon};

/// A host with a datastore called `my ds`, which as on ESXi is a link to the folder of its id, and a .vmx file in it.
fn host_with_machine() -> (Host, PathBuf, VimCmd) {
    let host = Host::new("6.7");
    let volumes = host.folder().join("volumes");
    std::fs::create_dir_all(volumes.join("4f-01/in ner")).unwrap();
    symlink("4f-01", volumes.join("my ds")).unwrap();
    let vmx = volumes.join("4f-01/in ner/inner.vmx");
    std::fs::write(&vmx, "").unwrap();
    let vim_cmd = host.vim_cmd().unwrap().with_volumes(&volumes);
    (host, vmx, vim_cmd)
}

const TABLE: &str = "Vmid   Name   File   Guest OS   Version   Annotation
12     [old] inner.vmx   [my ds] in ner/other.vmx   otherGuest   vmx-08   see
[my ds] in ner/inner.vmx
34     inner   [my ds] in ner/inner.vmx   otherGuest   vmx-08   
";

#[tokio::test]
async fn a_machine_is_found_by_its_file_and_reloaded() {
    let (host, vmx, vim_cmd) = host_with_machine();
    host.put("vms", TABLE);
    let by_name = host.folder().join("volumes/my ds/../my ds/in ner/inner.vmx");
    for path in [&vmx, &by_name] {
        assert_eq!(vim_cmd.registered(path, soon()).await.unwrap(), Some(34), "{}", path.display());
    }
    vim_cmd.reload(34, soon()).await.unwrap();
    assert_eq!(host.calls().last().unwrap(), "vim-cmd\tvmsvc/reload\t34");
    assert_eq!(vim_cmd.options(34, soon()).await.unwrap(), []);
    let file = "displayName = \"inner\"\n# a comment\nreplay.allowFT = \"TRUE\"\n";
    host.put("hostd.34", file);
    let known = [("displayName", "inner"), ("replay.allowFT", "TRUE")];
    let known = known.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(vim_cmd.options(34, soon()).await.unwrap(), known);
}

#[tokio::test]
async fn a_file_of_no_machine_is_none() {
    let (host, vmx, vim_cmd) = host_with_machine();
    assert_eq!(vim_cmd.registered(&vmx, soon()).await.unwrap(), None);
    for printed in ["", "Failed to login: hostd is not there\n"] {
        host.put("vms", printed);
        let error = vim_cmd.registered(&vmx, soon()).await.unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "what is no table tells nothing: {error:?}");
    }
}

#[tokio::test]
async fn a_file_of_two_machines_is_an_error_that_names_them() {
    let (host, vmx, vim_cmd) = host_with_machine();
    host.put("vms", &format!("{TABLE}56     inner   [4f-01] in ner/inner.vmx   otherGuest   vmx-08\n"));
    let error = vim_cmd.registered(&vmx, soon()).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
    assert!(error.to_string().ends_with("inner.vmx belongs to several virtual machines: [34, 56]"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_there_and_a_machine_that_is_not_there_are_errors() {
    let (host, vmx, vim_cmd) = host_with_machine();
    let error = vim_cmd.registered(&vmx.with_file_name("gone.vmx"), soon()).await.unwrap_err();
    assert!(matches!(&error, Error::Path { path, .. } if path.ends_with("gone.vmx")), "{error:?}");
    let error = vim_cmd.reload(99, soon()).await.unwrap_err();
    assert!(error.to_string().starts_with("`vim-cmd vmsvc/reload 99` failed with exit status 1: "), "{error}");
    assert!(host.without("vim-cmd").vim_cmd().is_none());
}
