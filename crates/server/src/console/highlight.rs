//! Source as people read it: lines of coloured words, with everything written out that would not be seen.
//!
//! The lexer knows enough of Rust and TOML to tell comments and texts from code, in one pass and without a tree, and never fails. It is no
//! compiler: what matters must not be told by colour alone. Invisible characters, those that turn the direction of text, and
//! controls are written as their numbers, wherever they stand.

use std::ops::Range;

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Toml,
    Plain,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Class in the style; empty for what is nothing in particular.
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) spans: Vec<Span>,
    /// Bytes that are not shown.
    pub(super) left_out: usize,
}

const KEYWORD: &str = "t-keyword";
const STRING: &str = "t-string";
const COMMENT: &str = "t-comment";
const NUMBER: &str = "t-number";
const HIDDEN: &str = "t-hidden";

/// Texts up to this many bytes are coloured; longer ones are plain. Source of the largest generated files has some megabytes.
const COLOURED: usize = 4 << 20;

/// Bytes of one line that are shown. Generated tables have long lines, and payloads hide in them.
pub(super) const LONGEST_LINE: usize = 32 << 10;

impl Language {
    /// By the name of a file.
    pub(super) fn of(path: &str) -> Language {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.').map(|(_, it)| it) {
            Some("rs") => Language::Rust,
            Some("toml") => Language::Toml,
            _ if name == "Cargo.toml.orig" || name == "Cargo.lock" => Language::Toml,
            _ => Language::Plain,
        }
    }
}

/// The lines of `text` whose numbers are in `wanted`, until they have more than `bytes` bytes; at least one.
pub(super) fn lines(text: &str, language: Language, wanted: Range<usize>, bytes: usize) -> Vec<Line> {
    let mut shown = Vec::new();
    let mut tokens = tokens(text, language).into_iter().peekable();
    let (mut start, mut room) = (0, bytes);
    for (index, line) in text.split('\n').enumerate() {
        let end = start + line.len();
        // A text that ends with an end of line has no further line.
        if index + 1 >= wanted.end || (start == text.len() && index > 0) || (!shown.is_empty() && room == 0) {
            break;
        }
        while tokens.next_if(|(_, range)| range.end <= start).is_some() {}
        if wanted.contains(&(index + 1)) {
            // A carriage return before an end of line says nothing; anywhere else it hides what stands before it.
            let whole = start + line.strip_suffix('\r').unwrap_or(line).len();
            let cut = floor(text, start, whole.min(start + LONGEST_LINE));
            let mut spans = Vec::new();
            let mut at = start;
            while let Some((class, range)) = tokens.peek().filter(|(_, it)| it.start < cut) {
                let (from, to) = (range.start.max(start), range.end.min(cut));
                write_out(&text[at..from], "", &mut spans);
                write_out(&text[from..to], class, &mut spans);
                at = to;
                if range.end > cut {
                    break;
                }
                tokens.next();
            }
            write_out(&text[at..cut], "", &mut spans);
            shown.push(Line { number: index + 1, spans, left_out: whole - cut });
            room = room.saturating_sub(cut - start + 1);
        }
        start = end + 1;
    }
    shown
}

/// One line of a text on its own.
pub(super) fn line(text: &str, language: Language, number: usize) -> Line {
    let text = text.trim_end_matches(['\n', '\r']);
    let plain = || Line { number, spans: Vec::new(), left_out: 0 };
    let line = lines(text, language, 1..2, usize::MAX).into_iter().next().unwrap_or_else(plain);
    Line { number, ..line }
}

/// The highest place up to `to` where a character begins.
fn floor(text: &str, from: usize, to: usize) -> usize {
    (from..=to).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(from)
}

/// Whether a character is not seen, or changes how others are.
fn is_hidden(character: char) -> bool {
    let is_control = character.is_control() && character != '\t';
    is_control || ('\u{fe00}'..='\u{fe0f}').contains(&character) || crate::refusal::is_invisible(character)
}

/// Adds a piece of text, hidden characters as their numbers.
fn write_out(text: &str, class: &'static str, spans: &mut Vec<Span>) {
    let mut visible = String::new();
    for character in text.chars() {
        if is_hidden(character) {
            if !visible.is_empty() {
                spans.push(Span { class, text: std::mem::take(&mut visible) });
            }
            spans.push(Span { class: HIDDEN, text: format!("U+{:04X}", u32::from(character)) });
        } else {
            visible.push(character);
        }
    }
    if !visible.is_empty() {
        spans.push(Span { class, text: visible });
    }
}

type Token = (&'static str, Range<usize>);

/// The pieces of a text that are something in particular, in order.
fn tokens(text: &str, language: Language) -> Vec<Token> {
    if text.len() > COLOURED {
        return Vec::new();
    }
    let next = match language {
        Language::Rust => rust_token,
        Language::Toml => toml_token,
        Language::Plain => return Vec::new(),
    };
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (class, length) = next(&text[at..]);
        // Never in the middle of a character, and never nowhere.
        let end =
            (at + length.max(1)..text.len()).find(|it| text.is_char_boundary(*it)).unwrap_or(text.len());
        if !class.is_empty() {
            tokens.push((class, at..end));
        }
        at = end;
    }
    tokens
}

/// Length up to where `end` begins, or all.
fn until(text: &str, end: &str) -> usize {
    text.find(end).unwrap_or(text.len())
}

/// Length of a text in quotes whose first quote is `quote` long; backslashes escape where `escapes` says so.
fn quoted(text: &str, start: usize, quote: u8, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if escapes => at += 2,
            it if *it == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn word(text: &str) -> usize {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    text.find(|it| !is_part(it)).unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    let end = word(text);
    let rest = &text[end..];
    let has_fraction = rest.starts_with('.') && rest[1..].starts_with(|it: char| it.is_ascii_digit());
    if has_fraction { end + 1 + word(&rest[1..]) } else { end }
}

const RUST_WORDS: [&str; 41] = [
    "Self",
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro_rules",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "union",
    "unsafe",
    "use",
    "where",
    "while",
    "yield",
];

fn rust_token(text: &str) -> (&'static str, usize) {
    let Some(first) = text.chars().next() else { return ("", 1) };
    match first {
        '/' if text.starts_with("//") => (COMMENT, until(text, "\n")),
        '/' if text.starts_with("/*") => (COMMENT, block_comment(text)),
        '"' => (STRING, quoted(text, 1, b'"', true)),
        '\'' => quote(text),
        it if it.is_ascii_digit() => (NUMBER, number(text)),
        it if it.is_alphabetic() || it == '_' => rust_word(text),
        _ => ("", 1),
    }
}

/// Comments nest.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// A character, or a lifetime.
fn quote(text: &str) -> (&'static str, usize) {
    let mut rest = text[1..].chars();
    match (rest.next(), rest.next()) {
        (Some('\\'), _) => (STRING, quoted(text, 1, b'\'', true)),
        (Some(character), Some('\'')) => (STRING, 2 + character.len_utf8()),
        _ => ("", 1),
    }
}

/// A word, or a text or character that begins with letters.
fn rust_word(text: &str) -> (&'static str, usize) {
    let length = word(text);
    let rest = &text[length..];
    match &text[..length] {
        "b" | "c" if rest.starts_with('"') => (STRING, quoted(text, length + 1, b'"', true)),
        "b" if rest.starts_with('\'') => (STRING, length + quote(rest).1),
        "r" | "br" | "cr" => {
            let hashes = rest.len() - rest.trim_start_matches('#').len();
            if !rest[hashes..].starts_with('"') {
                return ("", length);
            }
            let end = format!("\"{}", &rest[..hashes]);
            let start = length + hashes + 1;
            (STRING, (start + until(&text[start..], &end) + end.len()).min(text.len()))
        }
        it if RUST_WORDS.contains(&it) => (KEYWORD, length),
        _ => ("", length),
    }
}

fn toml_token(text: &str) -> (&'static str, usize) {
    let Some(first) = text.chars().next() else { return ("", 1) };
    match first {
        '#' => (COMMENT, until(text, "\n")),
        '"' if text.starts_with("\"\"\"") => (STRING, many_lines(text, "\"\"\"")),
        '\'' if text.starts_with("'''") => (STRING, many_lines(text, "'''")),
        '"' | '\'' => {
            let line = &text[..until(text, "\n")];
            (STRING, quoted(line, 1, first as u8, first == '"'))
        }
        '[' | ']' | '=' | '{' | '}' => (KEYWORD, 1),
        it if it.is_ascii_digit() => (NUMBER, number(text)),
        it if it.is_alphabetic() || it == '_' => {
            let end =
                text.find(|it: char| !(it.is_alphanumeric() || it == '_' || it == '-')).unwrap_or(text.len());
            (if matches!(&text[..end], "true" | "false") { KEYWORD } else { "" }, end)
        }
        _ => ("", 1),
    }
}

fn many_lines(text: &str, quotes: &str) -> usize {
    (3 + until(&text[3..], quotes) + 3).min(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str, language: Language) -> Vec<String> {
        let shown = lines(text, language, 1..usize::MAX, usize::MAX);
        let write = |it: &Span| match it.class {
            "" => it.text.clone(),
            class => format!("<{} {}>", &class[2..3], it.text),
        };
        shown.iter().map(|line| line.spans.iter().map(write).collect()).collect()
    }

    #[test]
    fn rust_is_told_apart() {
        let text = "pub fn f<'a>(x: &'a str) -> u8 { b'\\'' } // \"no\"\n/* a /* b\n*/ c */ let s = r#\"a\"b\"# + \"\\\"\";";
        assert_eq!(
            written(text, Language::Rust),
            [
                "<k pub> <k fn> f<'a>(x: &'a str) -> u8 { <s b'\\''> } <c // \"no\">",
                "<c /* a /* b>",
                "<c */ c */> <k let> s = <s r#\"a\"b\"#> + <s \"\\\"\">;"
            ]
        );
        assert_eq!(
            written("r#type 1.5e3 0..9 'x'", Language::Rust),
            ["r#<k type> <n 1.5e3> <n 0>..<n 9> <s 'x'>"]
        );
    }

    #[test]
    fn toml_is_told_apart() {
        let shown = written("[a]\nb-c = \"d # e\" # f\ng = true", Language::Toml);
        assert_eq!(shown, ["<k [>a<k ]>", "b-c <k => <s \"d # e\"> <c # f>", "g <k => <k true>"]);
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        let shown = written("a\u{202e}b // \u{200b}x\r\n\u{feff}\r\u{7}\t\n", Language::Rust);
        assert_eq!(shown, ["a<h U+202E>b <c // ><h U+200B><c x>", "<h U+FEFF><h U+000D><h U+0007>\t"]);
    }

    #[test]
    fn a_window_is_what_was_asked_for() {
        let text = "/*\n1\n2\n3*/ x\n";
        let shown = lines(text, Language::Rust, 2..4, usize::MAX);
        assert_eq!(shown.iter().map(|it| it.number).collect::<Vec<_>>(), [2, 3]);
        assert!(shown.iter().all(|it| it.spans[0].class == COMMENT));
        assert_eq!(lines(text, Language::Rust, 1..9, 2).len(), 1, "the first is shown, whatever its length");
        let long = "é".repeat(LONGEST_LINE);
        assert_eq!(lines(&long, Language::Plain, 1..2, 9)[0].left_out, LONGEST_LINE);
        assert_eq!(lines("", Language::Rust, 1..9, 9).len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_breaks(text in "([a-zé\"'/*#\\\\r\n\u{202e}0.]|r#\"){0,60}") {
            for language in [Language::Rust, Language::Toml, Language::Plain] {
                let shown = lines(&text, language, 1..usize::MAX, usize::MAX);
                let joined: Vec<String> =
                    shown.iter().map(|it| it.spans.iter().map(|it| it.text.as_str()).collect()).collect();
                let expected = text.replace('\u{202e}', "U+202E");
                prop_assert_eq!(joined.join("\n"), expected.strip_suffix('\n').unwrap_or(&expected));
            }
        }
    }
}
