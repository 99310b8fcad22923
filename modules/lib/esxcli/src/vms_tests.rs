//! Tables of `vim-cmd vmsvc/getallvms` with names that make them hard to read.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const HEADER: &str = "Vmid    Name    File    Guest OS    Version   Annotation\n";

/// The ids of the machines whose file is `[datastore] path`.
fn ids(lines: &str, datastore: &str, path: &str) -> Vec<u64> {
    owners(format!("{HEADER}{lines}").as_bytes(), |found, rest| found == datastore && rest == path).unwrap()
}

#[test]
fn the_machine_of_a_file_is_found_whatever_the_names_are() {
    let cases = [
        ("1      inner   [ds1] inner/inner.vmx   otherGuest   vmx-08              \n", "ds1", "inner/inner.vmx"),
        ("1      my inner vm   [my ds] a b/c d.vmx   otherGuest   vmx-08   note\n", "my ds", "a b/c d.vmx"),
        (
            "1      inner [being moved]        [ds1] inner/inner.vmx     rhel6_64Guest  vmx-19    \n",
            "ds1",
            "inner/inner.vmx",
        ),
        ("1      [x] y.vmx   [ds1] in/in.vmx   otherGuest   vmx-08   \n", "ds1", "in/in.vmx"),
        ("1      a   [ds [2]] a [b]/a.vmx   otherGuest   vmx-08   \n", "ds [2]", "a [b]/a.vmx"),
        ("1      a   [ds1] a.vmx b/a.vmx c.vmx   otherGuest   vmx-08   \n", "ds1", "a.vmx b/a.vmx c.vmx"),
        ("1      a   [] /vmfs/volumes/4f/a/a.vmx   otherGuest   vmx-08   \n", "", "/vmfs/volumes/4f/a/a.vmx"),
        ("1      a   [ds1] a/a.vmx", "ds1", "a/a.vmx"),
        ("1\ta\t[ds1] a/a.vmx\totherGuest\tvmx-08\r\n", "ds1", "a/a.vmx"),
    ];
    for (line, datastore, path) in cases {
        assert_eq!(ids(line, datastore, path), [1], "{line:?}");
    }
}

#[test]
fn other_lines_and_other_files_do_not_count() {
    let cases = [
        "Skipping invalid VM '1' [ds1] a/a.vmx\n",
        "x1     a   [ds1] a/a.vmx   otherGuest   vmx-08\n",
        "1a     a   [ds1] a/a.vmx   otherGuest   vmx-08\n",
        "99999999999999999999   a   [ds1] a/a.vmx   otherGuest   vmx-08\n",
        "1      a   [ds1] a/a.vmxf   otherGuest   vmx-08\n",
        "1      a   [ds1]a/a.vmx   otherGuest   vmx-08\n",
        "1\n",
        "",
    ];
    for line in cases {
        assert_eq!(ids(line, "ds1", "a/a.vmx"), Vec::<u64>::new(), "{line:?}");
    }
}

#[test]
fn an_annotation_that_names_the_file_of_another_machine_does_not_win() {
    let table = "3      copy   [ds1] copy/copy.vmx   otherGuest   vmx-08   a copy of [ds1] a/a.vmx  made
12 days after [ds1] a/a.vmx was lost
5      a   [ds1] a/a.vmx   otherGuest   vmx-13   
";
    assert_eq!(ids(table, "ds1", "a/a.vmx"), [5]);
    assert_eq!(ids(table, "ds1", "copy/copy.vmx"), [3]);
}

#[test]
fn two_machines_that_cannot_be_told_apart_are_both_named() {
    let table = "7      a   [ds1] a/a.vmx   otherGuest   vmx-08\n3      b   [ds1] a/a.vmx   otherGuest   vmx-08\n";
    assert_eq!(ids(table, "ds1", "a/a.vmx"), [3, 7]);
    assert_eq!(ids(&table.replace("7 ", "3 "), "ds1", "a/a.vmx"), [3], "one machine twice is one machine");
}

#[test]
fn a_name_that_is_not_utf8_is_a_name() {
    let table = b"4      a   [ds1] b\xe9/b.vmx   otherGuest   vmx-08\n";
    assert_eq!(owners(table, |_, path| path.as_bytes() == b"b\xe9/b.vmx"), Some(vec![4]));
}

#[test]
fn an_annotation_made_of_brackets_does_not_hold_up_the_search() {
    for annotation in ["[] .vmx ", "[] ", "[", ".vmx ", "] ", "[] x.vmx g vmx-1 "] {
        let line = format!("1      [a] b   [ds1] a/a.vmx   otherGuest   vmx-08   {}\n", annotation.repeat(100_000));
        let start = Instant::now();
        assert_eq!(ids(&line, "ds2", "a/a.vmx"), Vec::<u64>::new());
        assert!(start.elapsed() < Duration::from_secs(5), "{annotation:?}: {:?}", start.elapsed());
    }
}

#[test]
fn a_table_of_such_annotations_does_not_hold_up_the_search_and_is_not_guessed_at() {
    let tried = Cell::new(0);
    let line = format!("1 {}{}\n", "[".repeat(30), "] a.vmx ".repeat(30));
    let found = owners(line.repeat(1_000).as_bytes(), |_, _| {
        tried.set(tried.get() + 1);
        false
    });
    assert_eq!((found, tried.get()), (None, TABLE));
}

proptest! {
    #[test]
    fn a_printed_machine_is_found(
        vmid in any::<u64>(),
        name in "[ -~]{0,40}",
        datastore in "[!-Z^-~]([ -Z^-~]{0,20}[!-Z^-~])?",
        path in "[!-Z^-~][ -Z^-~]{0,20}/[ -~]{1,20}\\.vmx",
        annotation in "[ -~]{0,40}",
    ) {
        let line = format!("{vmid}   {name}   [{datastore}] {path}   otherGuest   vmx-08   {annotation}\n");
        prop_assert_eq!(ids(&line, &datastore, &path), [vmid]);
    }

    #[test]
    fn any_bytes_are_a_table(table in proptest::collection::vec(any::<u8>(), 0..300)) {
        owners(&table, |_, _| true);
    }
}
