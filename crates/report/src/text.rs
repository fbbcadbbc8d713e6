//! Text that people read: made harmless, wrapped, counted.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes text of unknown origin fit for one line of a terminal.
///
/// A crate's publisher chooses names, paths and excerpts. An escape sequence among them could recolour or
/// erase a finding, retitle the window or put text into the clipboard; a carriage return could overwrite
/// the line; a bidi control could show it in another order. Such characters are written as `\u{…}`, so
/// that the reader sees that something was there. Line breaks and tabs become spaces.
#[must_use]
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\t' => clean.push(' '),
            _ if is_treacherous(character) => {
                let _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
            }
            _ => clean.push(character),
        }
    }
    Cow::Owned(clean)
}

/// Whether a terminal obeys the character instead of showing it, or shows nothing, or shows its neighbours in
/// another order.
pub(crate) fn is_treacherous(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    // `is_control` holds C1: eight-bit terminals read U+009B like `ESC [`.
    character.is_control()
        || matches!(character,
            // Marks, embeddings, overrides and isolates of UAX #9.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Zero-width and otherwise invisible, as in `model::facts::CharacterClass::Invisible`.
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{ad}'
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}'
            // Tags and variation selectors, which carry hidden text.
            | '\u{e0000}'..='\u{e01ef}')
}

/// Breaks text at white space into lines of at most `width` characters, the first of at most `first`; a
/// longer word has a line of its own.
pub(crate) fn wrap(text: &str, first: usize, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let room = if lines.is_empty() { first } else { width };
        if !line.is_empty() && used + 1 + length > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if !line.is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Cuts text to `width` characters, the last of them `…` if something is missing.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    match text.char_indices().nth(width) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(width.saturating_sub(1)).chain(['…']).collect()),
    }
}

/// `1 package`, `2 packages`, `12,345 packages`; for nouns whose plural ends in `s`.
pub(crate) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// Digits in groups of three.
pub(crate) fn thousands(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the largest binary unit that gives at least 1.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// How long ago something was, in the largest unit: `5 minutes ago`, `12 days ago`, `at an unknown time`.
pub(crate) fn age(seconds: Option<u64>) -> String {
    let span = match seconds {
        None => return "at an unknown time".to_owned(),
        Some(0..60) => "less than a minute".to_owned(),
        Some(seconds @ 60..3_600) => count(seconds / 60, "minute"),
        Some(seconds @ 3_600..86_400) => count(seconds / 3_600, "hour"),
        Some(seconds) => count(seconds / 86_400, "day"),
    };
    format!("{span} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        for (text, expected) in [
            ("serde", "serde"),
            ("größe-名前", "größe-名前"),
            ("\u{1b}[2K\u{1b}]0;title\u{7}", "\\u{1b}[2K\\u{1b}]0;title\\u{7}"),
            ("good\rbad", "good\\u{d}bad"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u{202e}b\\u{2066}c\\u{200f}"),
            ("\u{9b}31m\u{7f}\u{0}", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("tag\u{e0041}\u{e0101}", "tag\\u{e0041}\\u{e0101}"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("line\u{2028}separator", "line\\u{2028}separator"),
        ] {
            assert_eq!(sanitize(text), expected);
        }
    }

    #[test]
    fn sanitized_text_stays_as_it_is() {
        let once = sanitize("\u{1b}[31m\u{202e}").into_owned();
        assert_eq!(sanitize(&once), once);
    }

    #[test]
    fn lines_break_at_spaces_only() {
        assert_eq!(wrap("one two  three", 7, 7), ["one two", "three"]);
        assert_eq!(wrap("one two  three", 5, 9), ["one", "two three"]);
        assert_eq!(wrap("https://long.example.invalid/ x", 5, 5), ["https://long.example.invalid/", "x"]);
        assert_eq!(wrap("größe größe", 11, 11), ["größe größe"]);
        assert!(wrap("  ", 10, 10).is_empty());
    }

    #[test]
    fn cut_text_says_so() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("größe größe", 6), "größe…");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [thousands(0_u64), thousands(999_u64), thousands(1_234_567_u64)],
            ["0", "999", "1,234,567"]
        );
        assert_eq!([count(1_u64, "file"), count(2_u64, "file")], ["1 file", "2 files"]);
        assert_eq!([size(0), size(1023), size(1536), size(5 << 30)], ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
        let ages = [Some(59), Some(60), Some(7_199), Some(90_000), None].map(age);
        assert_eq!(
            ages,
            ["less than a minute ago", "1 minute ago", "1 hour ago", "1 day ago", "at an unknown time"]
        );
    }
}
