//! The program `vmkernel_service`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vmkernel_service::main(std::env::args_os().collect())
}
