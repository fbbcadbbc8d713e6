//! The same command for `cargo cratekeeper`, which starts a program of this name.

fn main() -> std::process::ExitCode {
    cratekeeper::main()
}
