//! Which string literals matter: addresses, hosts, paths, and long text that looks encoded.

use std::net::{IpAddr, SocketAddr};

use cratekeeper_model::facts::LiteralKind;

use crate::text::{EXCERPT_CHARACTERS, entropy};

/// The value of a string, byte string or C string literal, escapes resolved.
///
/// Bytes above 127 become `\x…`. Invalid escapes are kept as written.
pub(crate) fn value(token: &str) -> String {
    let Some(quote) = token.find('"') else { return token.to_owned() };
    let prefix = &token[..quote];
    let body = token[quote + 1..].trim_end_matches('#');
    let body = body.strip_suffix('"').unwrap_or(body);
    if !body.contains('\\') || prefix.contains('r') {
        return body.to_owned();
    }
    let mut value = String::with_capacity(body.len());
    if prefix.starts_with('b') {
        rustc_literal_escaper::unescape_byte_str(body, |range, byte| match byte {
            Ok(byte) if byte.is_ascii() => value.push(byte as char),
            Ok(byte) => value.extend(std::ascii::escape_default(byte).map(char::from)),
            Err(error) if !error.is_fatal() => {}
            Err(_) => value.push_str(&body[range]),
        });
    } else {
        rustc_literal_escaper::unescape_str(body, |range, character| match character {
            Ok(character) => value.push(character),
            Err(error) if !error.is_fatal() => {}
            Err(_) => value.push_str(&body[range]),
        });
    }
    value
}

/// The tokens of a macro's argument as one short line. Comments and blanks are not among them, and every string and character stands as a plain
/// string, so that whoever reads the line need not know in how many ways Rust spells one.
pub(crate) fn spelled<'t>(tokens: impl IntoIterator<Item = &'t str>) -> String {
    let mut line = String::new();
    for token in tokens {
        // An excerpt is all that is kept of it; characters have at most four bytes.
        if line.len() > 4 * EXCERPT_CHARACTERS {
            break;
        }
        let is_word = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_');
        if line.ends_with(',') || is_word(line.chars().next_back()) && is_word(token.chars().next()) {
            line.push(' ');
        }
        match text_of(token) {
            Some(text) => {
                line.push('"');
                line.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
                line.push('"');
            }
            None => line.push_str(token),
        }
    }
    line
}

/// What a literal of text stands for; `None` for other tokens.
fn text_of(token: &str) -> Option<String> {
    let character = token.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    if let Some(character) = character {
        return rustc_literal_escaper::unescape_char(character).ok().map(String::from);
    }
    token.contains('"').then(|| value(token))
}

/// Why a literal with this value matters, if it does.
pub(crate) fn classify(value: &str) -> Option<LiteralKind> {
    if value.len() < 4 {
        return None;
    }
    if is_machine_code(value.as_bytes()) {
        Some(LiteralKind::MachineCode)
    } else if is_url(value) {
        Some(LiteralKind::Url)
    } else if is_address(value) {
        Some(LiteralKind::IpAddress)
    } else if is_host(value) {
        Some(LiteralKind::Host)
    } else if is_path(value) {
        Some(LiteralKind::Path)
    } else if is_encoded(value) {
        Some(LiteralKind::HighEntropy)
    } else {
        None
    }
}

/// Whether bytes begin like a program and go on: the magic number alone is what readers of such files compare with. Bytes
/// beyond ASCII may stand as `\xNN`, as [`value`] leaves them.
pub(crate) fn is_machine_code(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"\x7fELF",
        b"\0asm",
        b"\xcf\xfa\xed\xfe",
        b"\xfe\xed\xfa\xcf",
        b"\\xcf\\xfa\\xed\\xfe",
        b"\\xfe\\xed\\xfa\\xcf",
        b"\xca\xfe\xba\xbe",
    ];
    let is_windows = bytes.starts_with(b"MZ") && bytes.len() >= 32 && bytes.contains(&0);
    is_windows || MAGIC.iter().any(|magic| bytes.starts_with(magic) && bytes.len() > magic.len())
}

/// The number that a literal stands for, if it is one of a byte: `0x7f`, `127_u8`, `b'E'`.
pub(crate) fn byte(token: &str) -> Option<u8> {
    if let Some(character) = token.strip_prefix("b'").and_then(|it| it.strip_suffix('\'')) {
        return match character.as_bytes() {
            [byte] => Some(*byte),
            [b'\\', b'x', digits @ ..] => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
            [b'\\', b'0'] => Some(0),
            _ => None,
        };
    }
    let digits = token.trim_end_matches("u8").replace('_', "");
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// A scheme of RFC 3986 §3.1 followed by `://` and something, anywhere in the text.
fn is_url(value: &str) -> bool {
    value.match_indices("://").any(|(at, separator)| {
        let scheme = value[..at]
            .bytes()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        let rest = value[at + separator.len()..].chars().next();
        scheme.count() >= 2 && rest.is_some_and(|it| it.is_alphanumeric() || "[{_%$".contains(it))
    })
}

fn is_address(value: &str) -> bool {
    let looks_like_one = value.starts_with(|it: char| it.is_ascii_hexdigit() || it == ':' || it == '[');
    looks_like_one
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && (value.parse::<IpAddr>().is_ok() || value.parse::<SocketAddr>().is_ok())
}

/// Endings that make a dotted name a host rather than a file or a field. Generic and country domains that are not
/// also common file extensions (`rs`, `py`, `sh`, `so`, `md` are), and the reserved ones of RFC 2606 and RFC 6761.
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "ai",
    "app",
    "at",
    "au",
    "be",
    "biz",
    "br",
    "ca",
    "cc",
    "ch",
    "click",
    "cloud",
    "club",
    "cn",
    "co",
    "com",
    "cz",
    "de",
    "dev",
    "dk",
    "edu",
    "es",
    "eu",
    "example",
    "fi",
    "fr",
    "fun",
    "gg",
    "gov",
    "hk",
    "host",
    "icu",
    "ie",
    "il",
    "in",
    "info",
    "internal",
    "invalid",
    "io",
    "ir",
    "it",
    "jp",
    "kr",
    "la",
    "link",
    "live",
    "local",
    "localhost",
    "ltd",
    "me",
    "mil",
    "mobi",
    "net",
    "network",
    "nl",
    "no",
    "nu",
    "nz",
    "onion",
    "online",
    "org",
    "page",
    "pro",
    "pt",
    "pw",
    "ro",
    "ru",
    "se",
    "sg",
    "shop",
    "site",
    "space",
    "store",
    "su",
    "tech",
    "tel",
    "test",
    "tk",
    "to",
    "tools",
    "top",
    "tr",
    "tv",
    "tw",
    "ua",
    "uk",
    "us",
    "vip",
    "website",
    "work",
    "world",
    "ws",
    "xyz",
    "za",
];

/// A host name of RFC 1123, with at least one dot, perhaps a port and a path.
fn is_host(value: &str) -> bool {
    let host = value.split(['/', ':']).next().unwrap_or(value);
    let Some((rest, top)) = host.rsplit_once('.') else { return false };
    TOP_LEVEL_DOMAINS.binary_search(&top.to_ascii_lowercase().as_str()).is_ok()
        && host.len() <= 253
        && rest.split('.').all(is_host_label)
}

fn is_host_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// An absolute path of two or more parts, one below a home directory, or one with a hidden part.
fn is_path(value: &str) -> bool {
    if value.len() > 4096 || value.chars().any(|it| it.is_whitespace() || it.is_control()) {
        return false;
    }
    let bytes = value.as_bytes();
    let windows =
        bytes.len() > 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && b"\\/".contains(&bytes[2]);
    let home = ["~/", "~\\", "$HOME", "${HOME}", "%USERPROFILE%", "%APPDATA%", "%LOCALAPPDATA%", "%TEMP%"];
    // `\\server\share`, `\\.\pipe\name`
    let network = value.strip_prefix("\\\\").is_some_and(|rest| rest.find('\\').is_some_and(|at| at > 0));
    windows
        || network
        || home.iter().any(|prefix| value.starts_with(prefix))
        || is_unix_path(value)
        || has_hidden_part(value)
}

fn is_unix_path(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('/') else { return false };
    let mut parts = rest.split('/');
    let named = |part: &str| {
        part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte))
    };
    parts.next().is_some_and(named) && parts.next().is_some_and(|part| !part.is_empty())
}

/// `.ssh/id_rsa`, `/home/.config/x`: a part of two or more letters behind a dot. Alone, only the [`HIDDEN_NAMES`].
fn has_hidden_part(value: &str) -> bool {
    let hidden = |part: &str| {
        part.strip_prefix('.').is_some_and(|name| {
            name.len() >= 2
                && name.starts_with(|it: char| it.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        })
    };
    value.contains('/') && value.split('/').any(hidden) || HIDDEN_NAMES.binary_search(&value).is_ok()
}

/// Hidden files and directories that are known by their name alone: they hold credentials, or a shell runs them. Other
/// texts like `.crt` are mostly endings of file names.
const HIDDEN_NAMES: &[&str] = &[
    ".aws",
    ".azure",
    ".bash_history",
    ".bash_profile",
    ".bashrc",
    ".cargo",
    ".config",
    ".docker",
    ".dockercfg",
    ".env",
    ".git-credentials",
    ".gitconfig",
    ".gnupg",
    ".htpasswd",
    ".kube",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".profile",
    ".pypirc",
    ".ssh",
    ".vault-token",
    ".zprofile",
    ".zsh_history",
    ".zshenv",
    ".zshrc",
];

fn is_encoded(value: &str) -> bool {
    if value.len() < 40 || value.contains(char::is_whitespace) {
        return false;
    }
    let alphabet = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    alphabet && digits && value.len() >= 64 || entropy(value.as_bytes()) >= 4.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_spelled_in_one_way() {
        let line = |tokens: &[&str]| spelled(tokens.iter().copied());
        let tokens =
            ["concat", "!", "(", "env", "!", "(", "r#\"HOME\"#", ")", ",", "'/'", ",", "\"\\x2fa\\\"\"", ")"];
        assert_eq!(line(&tokens), r#"concat!(env!("HOME"), "/", "/a\"")"#);
        assert_eq!(line(&["a", "b", "'x", "r\"c:\\d\""]), r#"a b'x "c:\\d""#);
        assert!(line(&["\"0123456789\""; 1_000]).len() < 1_000);
    }

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(TOP_LEVEL_DOMAINS.is_sorted());
        assert!(HIDDEN_NAMES.is_sorted());
    }

    #[test]
    fn literals_are_unescaped() {
        assert_eq!(value(r#""a\x41\u{42}\n""#), "aAB\n");
        assert_eq!(value(r##"r#"a\x"b"#"##), r#"a\x"b"#);
        assert_eq!(value(r#"b"\x7fELF\xff""#), "\u{7f}ELF\\xff");
        assert_eq!(value(r#"c"a""#), "a");
        assert_eq!(value(r#""bad \q""#), r"bad \q");
        assert_eq!(value(r#""unterminated"#), "unterminated");
        assert_eq!(value("\""), "");
    }

    #[test]
    fn what_matters_is_told_apart() {
        use LiteralKind::{HighEntropy, Host, IpAddress, MachineCode, Path, Url};
        for (value, kind) in [
            ("https://a.example.invalid/x", Url),
            ("http://{}/x", Url),
            ("see ftp://a", Url),
            ("127.0.0.1", IpAddress),
            ("127.0.0.1:9", IpAddress),
            ("[::1]:80", IpAddress),
            ("fe80::1", IpAddress),
            ("bot.example.invalid", Host),
            ("api.service.io:443/path", Host),
            ("/etc/passwd", Path),
            ("~/.ssh/id_rsa", Path),
            (".cargo/credentials", Path),
            (".env", Path),
            ("C:\\Windows\\x", Path),
            ("%APPDATA%\\x", Path),
            ("\\\\.\\pipe\\x", Path),
            ("aHR0cDovLzEyNy4wLjAuMS9hYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==", HighEntropy),
            // An alphabet is what an encoder needs.
            ("\u{7f}ELF\u{2}\u{1}", MachineCode),
            ("\0asm\u{1}\0\0\0", MachineCode),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", HighEntropy),
            ("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", HighEntropy),
        ] {
            assert_eq!(classify(value), Some(kind), "{value}");
        }
    }

    #[test]
    fn ordinary_text_does_not_matter() {
        for value in [
            "",
            "a",
            "lib.rs",
            "Cargo.toml",
            "self.name",
            "1.2.3",
            "::",
            "/",
            "/a",
            "a/b",
            "std::io",
            "://",
            "...",
            "called `Option::unwrap()` on a `None` value at some place in some file",
            "application/json",
            "./x",
            "../x",
            "a_name_that_is_long_but_made_of_a_few_letters_only",
            ".",
            ".crt",
            "\\\\d",
            ".rs",
            ".tar.gz",
            "a.b.c",
        ] {
            assert_eq!(classify(value), None, "{value}");
        }
    }
}
