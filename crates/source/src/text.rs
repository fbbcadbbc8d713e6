//! Cutting and escaping text that a publisher controls, before it becomes a fact.

/// Longest path of a module, function or callee that is kept. Real ones stay below 300 bytes; without a limit, `n`
/// nested modules of `n` functions give facts of `n²` bytes.
pub(crate) const PATH_BYTES: usize = 1024;

/// Longest excerpt and literal that is kept, in characters.
pub(crate) const EXCERPT_CHARACTERS: usize = 200;

/// `text`, cut to at most `bytes` bytes with `…` at the end.
pub(crate) fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}

/// The beginning of `text` on one line, with controls and invisible characters as `\u{…}`.
pub(crate) fn excerpt(text: &str) -> String {
    excerpt_of(text, EXCERPT_CHARACTERS)
}

/// As [`excerpt`], with another length in characters.
pub(crate) fn excerpt_of(text: &str, characters: usize) -> String {
    let text = text.trim();
    let mut excerpt = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == characters {
            excerpt.push('…');
            break;
        }
        match character {
            '\t' | '\n' | '\r' => excerpt.push(' '),
            _ if character.is_control() || crate::characters::class(character).is_some() => {
                excerpt.extend(character.escape_unicode());
            }
            _ => excerpt.push(character),
        }
    }
    excerpt
}

/// `left::right`, or `right` alone when there is no left.
pub(crate) fn join_path(left: &str, right: &str) -> String {
    if left.is_empty() {
        return cut(right.to_owned(), PATH_BYTES);
    }
    let mut path = String::with_capacity(left.len() + right.len() + 2);
    path.push_str(left);
    path.push_str("::");
    path.push_str(right);
    cut(path, PATH_BYTES)
}

/// Shannon entropy in bits per byte: 0 for a repeated byte, 8 for uniformly random ones.
pub(crate) fn entropy(bytes: &[u8]) -> f32 {
    if bytes.is_empty() {
        return 0.0;
    }
    // Four tables: the same byte twice in a row would wait for its own count.
    let mut tables = [[0_u64; 256]; 4];
    let (chunks, rest) = bytes.as_chunks::<4>();
    for chunk in chunks {
        for (table, byte) in tables.iter_mut().zip(chunk) {
            table[usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        tables[0][usize::from(*byte)] += 1;
    }
    let counts: [u64; 256] = std::array::from_fn(|byte| tables.iter().map(|table| table[byte]).sum());
    let total = bytes.len() as f64;
    let bits = counts.iter().filter(|count| **count > 0).map(|count| {
        let share = *count as f64 / total;
        -share * share.log2()
    });
    bits.sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("aéb".to_owned(), 2), "a…");
        assert_eq!(cut("ab".to_owned(), 2), "ab");
    }

    #[test]
    fn excerpts_show_what_is_hidden() {
        assert_eq!(excerpt("  a\u{202e}b\tc\u{7} "), "a\\u{202e}b c\\u{7}");
    }

    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(entropy(&all), 8.0);
    }
}
