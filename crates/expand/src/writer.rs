//! Text out of pieces that must not run together.
//!
//! A space stands between two pieces wherever their ends, read as one, could be another token. More often than strictly
//! needed: `a1 .b` costs a byte and no thought.

use crate::ExpandError;

/// Writes up to a limit.
pub(crate) struct Writer {
    out: String,
    limit: usize,
}

impl Writer {
    pub(crate) fn new(limit: usize) -> Writer {
        Writer { out: String::new(), limit }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// The last byte.
    pub(crate) fn last(&self) -> u8 {
        self.out.as_bytes().last().copied().unwrap_or(b' ')
    }

    /// A piece, behind a space if it needs one.
    pub(crate) fn piece(&mut self, text: &str) -> Result<(), ExpandError> {
        if let Some(first) = text.bytes().next()
            && needs_space(self.out.as_bytes(), first)
        {
            self.out.push(' ');
        }
        self.glued(text)
    }

    /// A comment, which only a slash before it could spoil.
    pub(crate) fn comment(&mut self, text: &str) -> Result<(), ExpandError> {
        if self.last() == b'/' {
            self.out.push(' ');
        }
        self.glued(text)
    }

    /// A piece that belongs to the one before.
    pub(crate) fn glued(&mut self, text: &str) -> Result<(), ExpandError> {
        if text.len() > self.limit.saturating_sub(self.out.len()) {
            return Err(ExpandError::Limit("output_bytes"));
        }
        self.out.push_str(text);
        Ok(())
    }
}

fn needs_space(before: &[u8], first: u8) -> bool {
    let Some(&last) = before.last() else { return false };
    let is_operator = |byte: u8| b"=<>&|!.:-+*/^%".contains(&byte);
    let is_quote = |byte: u8| byte == b'"' || byte == b'\'';
    if is_operator(last) && is_operator(first) {
        return true;
    }
    match last {
        // `1.` is a number, `1.a` is not.
        b'.' => is_word(first) && ends_with_number(&before[..before.len() - 1]),
        // It may be the end of a raw string, and a word its suffix.
        b'#' => {
            is_quote(first)
                || first == b'#'
                || is_word(first) && before.len() > 1 && b"\"#".contains(&before[before.len() - 2])
        }
        _ if is_word(last) => {
            is_word(first) || is_quote(first) || first == b'#' || first == b'.' && ends_with_number(before)
        }
        _ if is_quote(last) => is_word(first) || is_quote(first) || first == b'#',
        _ => false,
    }
}

/// Of `0x1f` and `1u8` as well, a dot could be part.
fn ends_with_number(text: &[u8]) -> bool {
    text.rsplit(|byte| !is_word(*byte)).next().and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_together_is_kept_apart() {
        let write = |pieces: &[&str]| {
            let mut writer = Writer::new(100);
            pieces.iter().for_each(|piece| writer.piece(piece).unwrap());
            writer.finish()
        };
        assert_eq!(write(&["a", "b", "(", "c", ")", "d"]), "a b(c)d");
        assert_eq!(write(&["&", "&", "x", "=", "=", "y"]), "& &x= =y");
        assert_eq!(write(&["1", ".", "0"]), "1 .0");
        assert_eq!(write(&["1.", "max", "x", ".", "0", ".", "1"]), "1. max x.0 .1");
        assert_eq!(write(&["b", "\"s\"", "c", "'a", "'b'", "r", "#", "\"s\""]), "b \"s\" c 'a 'b' r # \"s\"");
        assert_eq!(write(&["/", "/*«*/", "*", "/"]), "/ /*«*/ * /");
    }

    #[test]
    fn the_limit_holds() {
        let mut writer = Writer::new(3);
        assert!(writer.piece("abc").is_ok());
        assert!(writer.piece("d").is_err());
    }
}
