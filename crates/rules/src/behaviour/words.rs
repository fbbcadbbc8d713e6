//! Words by which names and paths are told apart: whose secret a file is, which variables speak of a person.
//!
//! Lists of things in the world, never of crates.

/// Whether a variable's name speaks of a secret.
pub(crate) fn is_secret_variable(name: &str) -> bool {
    const PARTS: [&str; 12] = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "CREDENTIAL",
        "SIGNING_KEY",
        "AUTH_KEY",
        "PRIVATE",
    ];
    let name = name.to_ascii_uppercase();
    PARTS.iter().any(|part| name.contains(part)) || is_wallet_variable(&name)
}

/// Whether it speaks of something that cannot be revoked: a key to money.
pub(crate) fn is_wallet_variable(name: &str) -> bool {
    const PARTS: [&str; 6] = ["PRIVATE_KEY", "PRIVKEY", "MNEMONIC", "SEED_PHRASE", "WALLET", "KEYSTORE"];
    let name = name.to_ascii_uppercase();
    PARTS.iter().any(|part| name.contains(part))
}

/// The variable of documentation builders. They have no network and few libraries, so honest build scripts look at it.
pub(crate) fn is_documentation_variable(text: &str) -> bool {
    text.contains("DOCS_RS") || text.contains("docsrs")
}

/// Variables that tell who and where the user is.
pub(crate) fn is_host_variable(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "USER",
        "USERNAME",
        "LOGNAME",
        "HOSTNAME",
        "COMPUTERNAME",
        "USERDOMAIN",
        "HOME",
        "USERPROFILE",
        "PWD",
        "SSH_CONNECTION",
        "LANG",
    ];
    NAMES.contains(&name)
}

/// Whose secrets a path leads to, so that several owners at once can be noticed; `None` when it names none that is known.
pub(crate) fn owner_of_secret(path: &str) -> Option<&'static str> {
    const OWNERS: [(&str, &[&str]); 16] = [
        ("ssh", &[".ssh", "id_rsa", "id_ed25519", "id_ecdsa"]),
        ("aws", &[".aws"]),
        ("cargo", &[".cargo/credentials", "credentials.toml"]),
        ("npm", &[".npmrc"]),
        ("pypi", &[".pypirc"]),
        ("netrc", &[".netrc", "_netrc", ".git-credentials"]),
        ("google cloud", &["gcloud", "application_default_credentials"]),
        ("azure", &[".azure"]),
        ("kubernetes", &[".kube"]),
        ("docker", &[".docker"]),
        ("gnupg", &[".gnupg", "secring"]),
        (
            "browser",
            &["login data", "google-chrome", "chrome/user data", ".mozilla", "firefox", "cookies", "brave"],
        ),
        ("messenger", &["tdata", "telegram", "discord", "signal"]),
        (
            "wallet",
            &["wallet", "keystore", "solana", "metamask", "exodus", "electrum", ".sui", ".aptos", "ethereum"],
        ),
        ("system", &["/etc/shadow", "/etc/passwd", "keychain"]),
        ("dotenv", &[".env"]),
    ];
    let path = path.replace('\\', "/").to_ascii_lowercase();
    OWNERS.iter().find(|(_, parts)| parts.iter().any(|part| path.contains(part))).map(|(owner, _)| *owner)
}

/// The constant parts of an argument: what is computed stands in it as `{}`, or `{NAME}` for a variable's value.
pub(crate) fn constant_parts(argument: &str) -> String {
    let mut constant = String::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once('{') {
        constant.push_str(before);
        match after.split_once('}') {
            Some((name, behind)) if is_name(name) => rest = behind,
            _ => {
                constant.push('{');
                rest = after;
            }
        }
    }
    constant + rest
}

/// Variables whose values an argument has, by `{NAME}`.
pub(crate) fn variables(argument: &str) -> impl Iterator<Item = &str> {
    argument
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && is_name(name))
}

fn is_name(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '(' || it == ')')
}

/// Whether a path, or the variable that gives it, lies outside of what a build may write.
pub(crate) fn is_shared_place(path: &str) -> bool {
    const NAMES: [&str; 11] = [
        "HOME",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "TEMP",
        "TMP",
        "TMPDIR",
        "XDG_CONFIG_HOME",
    ];
    if let Some(first) =
        path.strip_prefix('{').and_then(|it| variables(path).next().filter(|name| it.starts_with(name)))
    {
        return NAMES.contains(&first);
    }
    let bytes = path.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    NAMES.contains(&path)
        || drive
        || (path.starts_with('/') && path.len() > 1 && !path.starts_with("//"))
        || path.starts_with("~/")
        || path.starts_with("%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in
            ["GITHUB_TOKEN", "aws_secret_access_key", "OPENAI_API_KEY", "WALLET_PRIVATE_KEY", "MNEMONIC"]
        {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in ["HOME", "CARGO_PKG_VERSION", "KEYBOARD", "RUSTFLAGS", "PATH"] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }

    #[test]
    fn secrets_have_owners() {
        assert_eq!(owner_of_secret("{}/.ssh/id_rsa"), Some("ssh"));
        assert_eq!(owner_of_secret("{}\\Google\\Chrome\\User Data\\Default"), Some("browser"));
        assert_eq!(owner_of_secret("src/lib.rs"), None);
    }

    #[test]
    fn what_is_computed_is_no_constant() {
        assert_eq!(constant_parts("{HOME}/.x/{}/a{b"), "/.x//a{b");
        assert_eq!(
            variables("{HOME}/{}/{CARGO_MANIFEST_DIR}").collect::<Vec<_>>(),
            ["HOME", "CARGO_MANIFEST_DIR"]
        );
    }

    #[test]
    fn shared_places_are_absolute_or_named_by_a_variable() {
        for path in ["/etc/cron.d/x", "~/.bashrc", "C:\\Windows", "HOME", "%APPDATA%\\x", "{HOME}/x"] {
            assert!(is_shared_place(path), "{path}");
        }
        for path in ["{}/out.rs", "{OUT_DIR}/x", "src/a.rs", "OUT_DIR", "/"] {
            assert!(!is_shared_place(path), "{path}");
        }
    }
}
