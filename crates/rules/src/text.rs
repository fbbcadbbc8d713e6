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
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
    }
}
