//! Paths as URI references.

/// A file on this machine, relative to `base` if it lies below.
pub(super) fn of_file(path: &str, base: Option<&str>) -> String {
    let path = path.replace('\\', "/");
    let base = base.map(|base| base.replace('\\', "/"));
    if let Some(below) = base.as_deref().and_then(|base| below(&path, base)) {
        return encode(below);
    }
    if path.starts_with('/') {
        return format!("file://{}", encode(&path));
    }
    if let Some((drive, rest)) = path.split_once(":/")
        && drive.len() == 1
    {
        return format!("file:///{drive}:/{}", encode(rest));
    }
    encode(path.strip_prefix("./").unwrap_or(&path))
}

/// A path inside a package. There `\` is part of a name.
pub(super) fn inside_package(path: &str) -> String {
    // A leading `/` would make the reference absolute; archives refuse such paths, directories have none.
    encode(path.trim_start_matches('/'))
}

fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base.trim_end_matches('/'))?;
    rest.strip_prefix('/')
}

/// Percent-encodes everything that a relative reference may not hold. `:` is encoded too: before the first
/// `/` it would end a scheme.
fn encode(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_relative_to_the_base_where_they_can_be() {
        for (path, base, expected) in [
            ("Cargo.lock", None, "Cargo.lock"),
            ("./Cargo.lock", Some("/code"), "Cargo.lock"),
            ("/code/a/Cargo.lock", Some("/code"), "a/Cargo.lock"),
            ("/code/a/Cargo.lock", Some("/code/"), "a/Cargo.lock"),
            ("/codebook/Cargo.lock", Some("/code"), "file:///codebook/Cargo.lock"),
            ("/a b/Cargo.lock", None, "file:///a%20b/Cargo.lock"),
            (r"C:\code\a\Cargo.lock", Some(r"C:\code"), "a/Cargo.lock"),
            (r"C:\code\Cargo.lock", None, "file:///C:/code/Cargo.lock"),
            (r"sub\Cargo.lock", None, "sub/Cargo.lock"),
        ] {
            assert_eq!(of_file(path, base), expected, "{path}");
        }
    }

    #[test]
    fn a_path_cannot_pose_as_another_kind_of_reference() {
        assert_eq!(inside_package("javascript:alert(1)"), "javascript%3Aalert(1)");
        assert_eq!(inside_package("//host.example.invalid/x"), "host.example.invalid/x");
        assert_eq!(inside_package("a?b#c%d\\e\"ö"), "a%3Fb%23c%25d%5Ce%22%C3%B6");
    }
}
