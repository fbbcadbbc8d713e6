//! Facts about one file, whatever it holds.

use cratekeeper_model::Checksum;
use cratekeeper_model::facts::FileEntry;

use crate::PackageFile;
use crate::magic;
use crate::text::entropy;

pub(crate) fn entry(file: &PackageFile<'_>) -> FileEntry {
    let kind = magic::kind(file.content);
    let (lines, longest_line, longest_line_number) =
        if kind.is_text() { lines(file.content) } else { (0, 0, 0) };
    FileEntry {
        path: file.path.to_owned(),
        size: file.content.len() as u64,
        checksum: Checksum::of(file.content),
        kind,
        entropy: entropy(file.content),
        executable: file.executable,
        hidden: file.path.split('/').any(|part| part.starts_with('.')),
        lines,
        longest_line,
        longest_line_number,
    }
}

/// Number of lines, and length and number of the longest.
fn lines(content: &[u8]) -> (u32, u32, u32) {
    let mut longest = (0, 0);
    let mut count = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        count += 1;
        let length = line.trim_ascii_end().len() as u32;
        if length > longest.0 {
            longest = (length, count);
        }
    }
    (count, longest.0, longest.1)
}
