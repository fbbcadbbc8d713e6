//! Decoding of constants: base64 and hexadecimal digits. Written here because constants are short and the input is hostile:
//! a decoder that guesses alphabet and padding, and gives up without a word.

/// Longest text that is decoded.
const LONGEST: usize = 64 << 10;

/// Base64 of RFC 4648 §4 or §5, with or without padding.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    for byte in &text[..end] {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// Pairs of hexadecimal digits.
pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.len() > LONGEST || !digits.len().is_multiple_of(2) || digits.is_empty() {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|it| it as u8);
    digits.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Bytes as text that can be read.
pub(super) fn printable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (text.len() >= 4 && text.chars().all(|it| !it.is_control() || it.is_whitespace())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_decoded() {
        assert_eq!(base64(b"aHR0cDovLzEyNy4wLjAuMTo5Lw==").as_deref(), Some(&b"http://127.0.0.1:9/"[..]));
        assert_eq!(base64(b"_-8").as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!(base64(b"a b"), None);
        assert_eq!(base64(b"="), None);
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(hex(b"68 69").as_deref(), Some(&b"hi"[..]));
        assert_eq!(hex(b"686"), None);
        assert_eq!(hex(b"6g"), None);
    }
}
