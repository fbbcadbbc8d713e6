//! Characters that make text read differently from what it means.
//!
//! Sources: CVE-2021-42574 and CVE-2021-42694 ("Trojan Source"), Unicode UAX #9 for bidirectional controls, UTS #39
//! for confusable identifiers.

use cratekeeper_model::facts::{CharacterClass, CharacterContext, SuspiciousCharacter};
use cratekeeper_syntax::{LexedStr, SyntaxKind};
use unicode_security::confusable_detection::skeleton;

use crate::text::excerpt;
use cratekeeper_syntax::Lines;

/// What `character` is, if it should not stand in source text.
pub(crate) fn class(character: char) -> Option<CharacterClass> {
    match character {
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}' => {
            Some(CharacterClass::BidiControl)
        }
        '\u{200B}'..='\u{200D}'
        | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}'
        | '\u{00AD}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{180E}' => Some(CharacterClass::Invisible),
        '\u{E0000}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}' => Some(CharacterClass::Tag),
        _ => None,
    }
}

/// Suspicious characters found in one file, capped, with the number found.
pub(crate) struct Scan<'a> {
    pub(crate) file: &'a str,
    pub(crate) found: &'a mut Vec<SuspiciousCharacter>,
    pub(crate) total: &'a mut u64,
    pub(crate) limit: usize,
    /// Lines of the file before the text.
    pub(crate) lines_before: u32,
}

impl Scan<'_> {
    /// Looks at a text file that is not Rust.
    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_ascii() {
            self.segment(text, &Lines::new(text), 0, text, CharacterContext::Text);
        }
    }

    /// Looks at a Rust file, token by token.
    pub(crate) fn rust(&mut self, text: &str, lexed: &LexedStr<'_>) {
        if text.is_ascii() {
            return;
        }
        let lines = Lines::new(text);
        for index in 0..lexed.len() {
            let piece = lexed.text(index);
            if piece.is_ascii() {
                continue;
            }
            let kind = lexed.kind(index);
            let context = match kind {
                SyntaxKind::COMMENT => CharacterContext::Comment,
                _ if kind.is_literal() => CharacterContext::Literal,
                _ => CharacterContext::Code,
            };
            let start = lexed.text_start(index);
            if matches!(kind, SyntaxKind::IDENT | SyntaxKind::LIFETIME_IDENT) {
                self.identifier(text, &lines, start, piece);
            }
            self.segment(text, &lines, start, piece, context);
        }
    }

    /// One stretch of text: bidirectional controls must be closed within it, line by line.
    fn segment(&mut self, text: &str, lines: &Lines, start: usize, segment: &str, context: CharacterContext) {
        let mut at = start;
        for line in segment.split_inclusive('\n') {
            if !line.is_ascii() {
                let closed = controls_are_closed(line);
                for (offset, character) in line.char_indices() {
                    // A byte order mark at the very beginning is allowed.
                    let Some(class) =
                        class(character).filter(|_| at + offset != 0 || character != '\u{FEFF}')
                    else {
                        continue;
                    };
                    self.add(text, lines, at + offset, character, class, context, closed);
                }
            }
            at += line.len();
        }
    }

    fn identifier(&mut self, text: &str, lines: &Lines, start: usize, identifier: &str) {
        let looks_like: String = skeleton(identifier).collect();
        if looks_like.is_ascii()
            && let Some((offset, first)) =
                identifier.char_indices().find(|(_, character)| !character.is_ascii())
        {
            let class = CharacterClass::ConfusableIdentifier;
            self.add(text, lines, start + offset, first, class, CharacterContext::Code, true);
        }
    }

    /// Bidirectional controls change what code means, so that no crowd of other characters may keep them off the list.
    fn make_room(&mut self, class: CharacterClass) -> bool {
        let is_other = |it: &SuspiciousCharacter| it.class != CharacterClass::BidiControl;
        match self.found.iter().rposition(is_other) {
            Some(other) if class == CharacterClass::BidiControl => {
                self.found.remove(other);
                true
            }
            _ => false,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call per fact, each argument a field of it")]
    fn add(
        &mut self,
        text: &str,
        lines: &Lines,
        offset: usize,
        character: char,
        class: CharacterClass,
        context: CharacterContext,
        closed: bool,
    ) {
        *self.total += 1;
        if self.found.len() >= self.limit && !self.make_room(class) {
            return;
        }
        let line = lines.line(offset as u32);
        let line_text = lines.text(text, line);
        let line_start = line_text.as_ptr() as usize - text.as_ptr() as usize;
        self.found.push(SuspiciousCharacter {
            file: self.file.to_owned(),
            line: self.lines_before + line,
            column: text[line_start..offset].chars().count() as u32 + 1,
            code_point: character as u32,
            class,
            context,
            closed,
            excerpt: excerpt(line_text),
        });
    }
}

/// Whether every embedding, override and isolate that `line` opens is closed on it, in order (UAX #9, §3.1).
fn controls_are_closed(line: &str) -> bool {
    let mut open = Vec::new();
    let mut isolates = 0_usize;
    for character in line.chars() {
        match character {
            '\u{202A}' | '\u{202B}' | '\u{202D}' | '\u{202E}' => open.push('\u{202C}'),
            '\u{2066}'..='\u{2068}' => {
                open.push('\u{2069}');
                isolates += 1;
            }
            // A PDI closes its isolate and all embeddings opened within.
            '\u{2069}' if isolates > 0 => {
                isolates -= 1;
                while open.pop().is_some_and(|close| close != '\u{2069}') {}
            }
            '\u{202C}' if open.last() == Some(&'\u{202C}') => {
                open.pop();
            }
            _ => {}
        }
    }
    open.is_empty()
}

#[cfg(test)]
mod tests {
    use cratekeeper_syntax::Edition;

    use super::*;

    fn rust(text: &str) -> Vec<(CharacterClass, CharacterContext, bool, u32, u32)> {
        let (mut found, mut total) = (Vec::new(), 0);
        let mut scan =
            Scan { file: "a.rs", found: &mut found, total: &mut total, limit: 100, lines_before: 0 };
        scan.rust(text, &LexedStr::new(Edition::Edition2024, text));
        assert_eq!(total, found.len() as u64);
        found.into_iter().map(|it| (it.class, it.context, it.closed, it.line, it.column)).collect()
    }

    #[test]
    fn context_and_place_are_told() {
        use CharacterClass::{BidiControl, ConfusableIdentifier, Invisible};
        use CharacterContext::{Code, Comment, Literal};
        let text = "// a\u{202E}b\nlet s = \"\u{2066}x\u{2069}\u{200B}\";\nlet \u{0441}rate = 1;";
        assert_eq!(
            rust(text),
            [
                (BidiControl, Comment, false, 1, 5),
                (BidiControl, Literal, true, 2, 10),
                (BidiControl, Literal, true, 2, 12),
                (Invisible, Literal, true, 2, 13),
                (ConfusableIdentifier, Code, true, 3, 5),
            ]
        );
    }

    #[test]
    fn honest_scripts_are_silent() {
        assert_eq!(rust("\u{FEFF}// über, 日本語, Ελληνικά\nlet größe = \"é\"; let 名前 = 1;"), []);
    }

    #[test]
    fn a_control_closed_on_another_line_is_open() {
        assert!(rust("/* \u{202E}\n\u{202C} */").iter().any(|it| !it.2));
    }

    #[test]
    fn a_crowd_of_other_characters_does_not_hide_a_bidi_control() {
        let text = format!("// {}\u{202E}{}", "\u{200B}".repeat(10), "\u{200B}".repeat(10));
        let (mut found, mut total) = (Vec::new(), 0);
        let mut scan = Scan { file: "a.rs", found: &mut found, total: &mut total, limit: 3, lines_before: 0 };
        scan.rust(&text, &LexedStr::new(Edition::Edition2024, &text));
        assert_eq!(total, 21);
        assert_eq!(found.iter().filter(|it| it.class == CharacterClass::BidiControl).count(), 1);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn the_list_is_capped_and_the_count_is_not() {
        let (mut found, mut total) = (Vec::new(), 0);
        let mut scan = Scan { file: "a", found: &mut found, total: &mut total, limit: 3, lines_before: 0 };
        scan.text(&"\u{200B}".repeat(10));
        assert_eq!((found.len(), total), (3, 10));
    }
}
