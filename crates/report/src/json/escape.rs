//! Writes JSON that is harmless on a terminal.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::text::is_treacherous;

/// Writes `document` on one line.
///
/// JSON lets everything from U+007F on stand as it is, C1 and bidi controls included. The same value
/// can be written as `\uXXXX`: a program reads the same text, a terminal has nothing to obey.
pub(crate) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    write_line(document, &mut out)?;
    out.flush()
}

/// The same for one of many lines: into a writer that is buffered already, and not flushed.
pub(crate) fn write_line(document: &impl Serialize, mut out: &mut dyn Write) -> io::Result<()> {
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Escaping))?;
    out.write_all(b"\n")
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_treacherous) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let character = from.chars().next().expect("`find` stopped at a character");
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &from[character.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_keep_their_value() {
        let text = "a\u{1b}[31m\u{202e}\u{9b}\u{7f}\u{e0041}ö\"\\\u{200b}";
        let mut json = Vec::new();
        write(&text, &mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, "\"a\\u001b[31m\\u202e\\u009b\\u007f\\udb40\\udc41ö\\\"\\\\\\u200b\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
