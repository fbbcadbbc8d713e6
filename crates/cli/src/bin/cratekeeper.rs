//! The `cratekeeper` command.

fn main() -> std::process::ExitCode {
    cratekeeper::main()
}
