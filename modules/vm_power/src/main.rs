//! The program `vm_power`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vm_power::main(std::env::args_os().collect())
}
