//! The program `host_option`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_option::main(std::env::args_os().collect())
}
