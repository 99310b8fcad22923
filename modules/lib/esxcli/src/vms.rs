//! The table that `vim-cmd vmsvc/getallvms` prints: a header, then a line a machine with
//! `ID  NAME  [DATASTORE] FOLDER/X.vmx  GUEST  vmx-NN  ANNOTATION`, in bytes, since names of files are.
//!
//! Nothing in it is quoted: names hold blanks and brackets, and annotations hold anything, line breaks included. So every
//! reading of a line is tried, and the file system decides which of them is right.

use std::cell::Cell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// The largest number of readings tried per line, so that an annotation made of brackets costs no more than
/// milliseconds.
const READINGS: usize = 10_000;
/// The same for a whole table, so that many such annotations cost no more than a second.
pub(crate) const TABLE: usize = 100_000;

/// The ids of the machines whose datastore and path `is_file` takes for the wanted file's; rarely more than one.
///
/// Readings that go on with guest and version, as the table's own columns do, come first, and the others only if none of
/// them is right: an annotation may name the file of another machine. `None` if there are more readings in
/// the table than may be tried.
pub(crate) fn owners(table: &[u8], is_file: impl Fn(&OsStr, &OsStr) -> bool) -> Option<Vec<u64>> {
    let left = Cell::new(TABLE);
    let machines: Vec<(u64, &[u8])> = table.split(|byte| *byte == b'\n').filter_map(machine).collect();
    let owning = |columns_follow| {
        let mut ids: Vec<u64> = machines
            .iter()
            .filter(|(_, line)| any_reading(line, columns_follow, &left, &is_file))
            .map(|(vmid, _)| *vmid)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let certain = owning(true);
    let owners = if certain.is_empty() { owning(false) } else { certain };
    (left.get() > 0).then_some(owners)
}

/// The options in what `vim-cmd vmsvc/get.config` prints: `key = "NAME",` and on the next line `value = "VALUE"`.
pub(crate) fn options(config: &str) -> Vec<(String, String)> {
    let quoted = |line: &str, name: &str| {
        let rest = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
        let inside = rest.trim_end().trim_end_matches(',').strip_prefix('"')?.strip_suffix('"')?;
        Some(inside.to_owned())
    };
    let lines: Vec<&str> = config.lines().collect();
    lines.windows(2).filter_map(|pair| Some((quoted(pair[0], "key")?, quoted(pair[1], "value")?))).collect()
}

/// The id that a line starts with, and the rest of the line.
fn machine(line: &[u8]) -> Option<(u64, &[u8])> {
    let end = line.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = line.split_at(end);
    let vmid = std::str::from_utf8(digits).ok()?.parse().ok()?;
    rest.first().is_some_and(u8::is_ascii_whitespace).then_some((vmid, rest))
}

/// True if `is_file` accepts any reading of the line: a datastore between a `[` and a `] `, and a path between that and
/// the end of a word in `.vmx`, followed by the next columns exactly if `columns_follow`. `left` is the number of
/// readings left for the table.
fn any_reading(
    line: &[u8],
    columns_follow: bool,
    left: &Cell<usize>,
    is_file: impl Fn(&OsStr, &OsStr) -> bool,
) -> bool {
    let mut ends: Vec<usize> = positions(line, b".vmx").map(|dot| dot + b".vmx".len()).collect();
    ends.retain(|end| {
        let rest = &line[*end..];
        rest.first().is_none_or(u8::is_ascii_whitespace) && guest_and_version(rest) == columns_follow
    });
    // Without those that nothing follows, every step below is a reading, so that a limit of readings is one of time.
    let mut closes: Vec<usize> = positions(line, b"] ").collect();
    closes.retain(|close| ends.last().is_some_and(|end| close + 2 < *end));

    let last = left.get().saturating_sub(READINGS);
    for open in positions(line, b"[").take_while(|open| closes.last().is_some_and(|close| open < close)) {
        for &close in &closes[closes.partition_point(|close| *close < open)..] {
            let path = close + 2;
            for &end in &ends[ends.partition_point(|end| *end <= path)..] {
                if left.get() == last {
                    return false;
                }
                left.set(left.get() - 1);
                if is_file(OsStr::from_bytes(&line[open + 1..close]), OsStr::from_bytes(&line[path..end])) {
                    return true;
                }
            }
        }
    }
    false
}

fn positions(text: &[u8], wanted: &[u8]) -> impl Iterator<Item = usize> {
    text.windows(wanted.len()).enumerate().filter(move |(_, window)| *window == wanted).map(|(at, _)| at)
}

/// True if a word and then a virtual hardware version, such as `vmx-08`, come next.
fn guest_and_version(rest: &[u8]) -> bool {
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words
        .nth(1)
        .and_then(|word| word.strip_prefix(b"vmx-"))
        .is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
#[path = "vms_tests.rs"]
mod tests;
