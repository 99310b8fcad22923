//! The program `fault_tolerance`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    fault_tolerance::main(std::env::args_os().collect())
}
