//! Reading below the directory of the calling crate, and nowhere else.

use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

pub(crate) fn read(relative: &str) -> Result<(PathBuf, String), String> {
    let relative = Path::new(relative);
    if relative.components().any(|it| !matches!(it, Component::Normal(_))) {
        return Err(format!("`{}` leaves the directory of this crate", relative.display()));
    }
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or("this macro needs Cargo")?;
    let path = Path::new(&root).join(relative);
    let content = fs::read_to_string(&path).map_err(|error| format!("failed to read `{}`: {error}", path.display()))?;
    if content.matches("{{").count() != content.matches("}}").count() {
        return Err(format!("`{}` opens a placeholder that is not closed", path.display()));
    }
    Ok((path, content))
}
