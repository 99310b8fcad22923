//! The program `vmx_option`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vmx_option::main(std::env::args_os().collect())
}
