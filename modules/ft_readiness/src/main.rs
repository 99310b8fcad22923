//! The program `ft_readiness`. The library beside it is all of it: the collection's one program has the same in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ft_readiness::main(std::env::args_os().collect())
}
