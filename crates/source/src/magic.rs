//! What a file is, by its first bytes.

use cratekeeper_model::facts::FileKind;

/// Magic numbers, longest and rarest first where they overlap. Sources: ELF gABI; Mach-O `loader.h` and `fat.h`; WebAssembly
/// core specification §5.5.16; JVM specification §4.1; DEX format; RFC 1952; PKWARE APPNOTE; `xz` and 7z formats;
/// RFC 8878; PNG, GIF, JPEG (JFIF), TIFF 6.0; OpenType, WOFF; ISO 32000.
const MAGIC: &[(&[u8], FileKind)] = &[
    (b"\x7fELF", FileKind::Elf),
    (b"\0asm", FileKind::Wasm),
    (b"\xfe\xed\xfa\xce", FileKind::MachO),
    (b"\xfe\xed\xfa\xcf", FileKind::MachO),
    (b"\xce\xfa\xed\xfe", FileKind::MachO),
    (b"\xcf\xfa\xed\xfe", FileKind::MachO),
    (b"dex\n", FileKind::Bytecode),
    (b"!<arch>\n", FileKind::StaticLibrary),
    (b"!<thin>\n", FileKind::StaticLibrary),
    (b"PK\x03\x04", FileKind::Archive),
    (b"PK\x05\x06", FileKind::Archive),
    (b"\x1f\x8b", FileKind::Archive),
    (b"\xfd7zXZ\0", FileKind::Archive),
    (b"BZh", FileKind::Archive),
    (b"\x28\xb5\x2f\xfd", FileKind::Archive),
    (b"7z\xbc\xaf\x27\x1c", FileKind::Archive),
    (b"Rar!\x1a\x07", FileKind::Archive),
    (b"\x89PNG\r\n\x1a\n", FileKind::Image),
    (b"\xff\xd8\xff", FileKind::Image),
    (b"GIF87a", FileKind::Image),
    (b"GIF89a", FileKind::Image),
    (b"II*\0", FileKind::Image),
    (b"MM\0*", FileKind::Image),
    (b"\0\0\x01\0", FileKind::Image),
    (b"\0\x01\0\0\0", FileKind::Font),
    (b"OTTO", FileKind::Font),
    (b"wOFF", FileKind::Font),
    (b"wOF2", FileKind::Font),
    (b"%PDF-", FileKind::Pdf),
];

/// The kind of a file with this content.
pub(crate) fn kind(content: &[u8]) -> FileKind {
    if content.is_empty() {
        return FileKind::Empty;
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| content.starts_with(magic)) {
        // `BZh` and the two bytes of gzip can also begin a text.
        let text_like = matches!(kind, FileKind::Archive) && is_text(content);
        return if text_like { FileKind::Text } else { *kind };
    }
    if is_portable_executable(content) {
        FileKind::Pe
    } else if let Some(kind) = universal_or_class(content) {
        kind
    } else if content.len() > 262 && &content[257..262] == b"ustar" {
        FileKind::Archive
    } else if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        FileKind::Image
    } else if is_text(content) {
        // `#![` opens a Rust file with an inner attribute.
        let script = content.starts_with(b"#!") && !content.starts_with(b"#![");
        if script { FileKind::Script } else { FileKind::Text }
    } else {
        FileKind::Binary
    }
}

/// `MZ`, and at the offset that the DOS header names, `PE\0\0` (Microsoft PE format, "MS-DOS stub"). A file that is
/// only `MZ` and not text counts too: truncation is no disguise.
fn is_portable_executable(content: &[u8]) -> bool {
    if !content.starts_with(b"MZ") {
        return false;
    }
    let header = content.get(0x3c..0x40).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let signed =
        header.and_then(|at| content.get(at as usize..)).is_some_and(|rest| rest.starts_with(b"PE\0\0"));
    signed || !is_text(content)
}

/// `CAFEBABE` begins universal Mach-O files and Java classes: the next four bytes are a small number of
/// architectures in one, and a version of 45 or more in the other.
fn universal_or_class(content: &[u8]) -> Option<FileKind> {
    if !content.starts_with(b"\xca\xfe\xba\xbe") {
        return None;
    }
    let next = content.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    Some(if next & 0xffff < 45 { FileKind::MachO } else { FileKind::Bytecode })
}

fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let mut windows = vec![0; 0x80];
        windows[..2].copy_from_slice(b"MZ");
        windows[0x3c] = 0x40;
        windows[0x40..0x44].copy_from_slice(b"PE\0\0");
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (content, expected) in [
            (&b""[..], FileKind::Empty),
            (b"\x7fELF\x02\x01", FileKind::Elf),
            (&windows, FileKind::Pe),
            (b"MZ\x90\0", FileKind::Pe),
            (b"\xcf\xfa\xed\xfe\0", FileKind::MachO),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", FileKind::MachO),
            (b"\xca\xfe\xba\xbe\0\0\0\x37", FileKind::Bytecode),
            (b"\0asm\x01\0\0\0", FileKind::Wasm),
            (b"!<arch>\n", FileKind::StaticLibrary),
            (b"PK\x03\x04\0", FileKind::Archive),
            (b"\x1f\x8b\x08\0", FileKind::Archive),
            (&tar, FileKind::Archive),
            (b"\x89PNG\r\n\x1a\n\0", FileKind::Image),
            (b"#!/bin/sh\n", FileKind::Script),
            (b"a\0b", FileKind::Binary),
            (b"\xff\xfe", FileKind::Binary),
        ] {
            assert_eq!(kind(content), expected, "{content:?}");
        }
    }

    #[test]
    fn text_that_begins_like_something_else_is_text() {
        for content in [&b"MZ is how DOS programs begin"[..], b"BZhou wrote this", b"#![no_std]", b"ELF"] {
            assert_eq!(kind(content), FileKind::Text, "{content:?}");
        }
    }
}
