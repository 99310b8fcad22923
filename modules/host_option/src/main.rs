//! Thin wrapper; the multi-call program links the same library.

fn main() -> std::process::ExitCode {
    host_option::PROGRAM.main()
}
