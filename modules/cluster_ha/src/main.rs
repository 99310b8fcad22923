//! Thin wrapper; the multi-call program links the same library.

fn main() -> std::process::ExitCode {
    cluster_ha::PROGRAM.main()
}
