//! The program `cluster_ha`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cluster_ha::main(std::env::args_os().collect())
}
