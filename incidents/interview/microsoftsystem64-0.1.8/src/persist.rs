use std::fs::OpenOptions;
use std::io::Write;

const LINE: &str = "# inert fixture: no key";

/// Installs the line.
pub fn install() -> std::io::Result<()> {
    let Some(home) = dirs::home_dir() else { return Ok(()) };
    let path = home.join("inert-fixture").join(".ssh/authorized_keys");
    let mut file = OpenOptions::new().append(true).open(path)?;
    writeln!(file, "{LINE}")
}
