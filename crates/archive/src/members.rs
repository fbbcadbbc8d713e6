//! Tar headers to members: one file, directory or link with its real path.
//!
//! The layout of a header is taken from the `tar` crate, but not its iterator, which has no limits: it reads
//! a long name or a set of pax records to memory at whatever size they claim, and hides the headers that they
//! came in. Cargo unpacks with that iterator, so whatever is accepted here has to mean the same there. Where
//! the two could differ, or `tar` differs from other readers, the archive is refused.

use tar::{EntryType, Header};

use crate::input::{BLOCK, Unpacked};
use crate::path::shown;
use crate::{Limits, ReadError, Refusal};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    Hardlink,
    Device,
    Unknown(u8),
}

/// One member; its contents are read or skipped before the next one.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
}

/// The members of a tar stream, in order.
pub(crate) struct Members<'limits, R: std::io::Read> {
    input: Unpacked<'limits, R>,
    headers: u64,
    /// Bytes of the current member that were not read yet, without and with its padding.
    left: u64,
    left_padded: u64,
}

/// What extension headers say about the member that follows them.
#[derive(Debug, Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    has_long_link: bool,
    pax: Option<Pax>,
}

/// The pax records that matter here.
#[derive(Debug, Default)]
struct Pax {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
    has_link_path: bool,
}

impl<'limits, R: std::io::Read> Members<'limits, R> {
    pub(crate) fn new(input: Unpacked<'limits, R>) -> Members<'limits, R> {
        Members { input, headers: 0, left: 0, left_padded: 0 }
    }

    pub(crate) fn limits(&self) -> &'limits Limits {
        self.input.limits()
    }

    pub(crate) fn into_input(self) -> Unpacked<'limits, R> {
        self.input
    }

    /// The next member, or `None` at the end of the archive, when everything behind it is known to be
    /// empty.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>, ReadError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip()?;
            let at = self.input.size();
            let Some(header) = self.next_header(at)? else {
                if extensions.is_empty() {
                    self.input.read_padding()?;
                    self.input.refuse_trailing()?;
                    return Ok(None);
                }
                return Err(
                    Refusal::CorruptTar { at, reason: "an extension header describes nothing" }.into()
                );
            };
            let size = self.size(&header, at)?;
            match header.entry_type() {
                EntryType::GNULongName => {
                    let name = self.extension(at, size)?;
                    extensions.set_long_name(name, at)?;
                }
                EntryType::GNULongLink => {
                    self.extension(at, size)?;
                    extensions.set_long_link(at)?;
                }
                EntryType::XHeader => {
                    let pax = Pax::parse(&self.extension(at, size)?, at)?;
                    extensions.set_pax(pax, at)?;
                }
                EntryType::XGlobalHeader => {
                    let pax = Pax::parse(&self.extension(at, size)?, at)?;
                    extensions.check_global(&pax, at)?;
                }
                EntryType::GNUSparse => return Err(Refusal::Sparse { at }.into()),
                _ => return self.member(&header, extensions, at, size).map(Some),
            }
        }
    }

    /// The current member's contents.
    pub(crate) fn read_contents(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut contents = Vec::new();
        // The claimed size is not believed before the bytes are there: the buffer at most doubles.
        while self.left > 0 {
            let step = self.left.min((contents.len() as u64).max(64 << 10)) as usize;
            let start = contents.len();
            contents.reserve_exact(step);
            contents.resize(start + step, 0);
            self.input.read_exact(&mut contents[start..])?;
            self.left -= step as u64;
            self.left_padded -= step as u64;
        }
        Ok(contents)
    }

    /// Skips what is left of the current member.
    fn skip(&mut self) -> Result<(), ReadError> {
        let mut buffer = [0; 8 * BLOCK];
        while self.left_padded > 0 {
            let step = self.left_padded.min(buffer.len() as u64) as usize;
            self.input.read_exact(&mut buffer[..step])?;
            self.left_padded -= step as u64;
        }
        self.left = 0;
        Ok(())
    }

    /// The next header whose checksum is right.
    ///
    /// One zero block ends the archive, as for cargo, and so does the end of the stream: the marker is
    /// missing from archives of some old tools. The gzip stream has a checksum of its own, so nobody can cut
    /// an archive off there unseen.
    fn next_header(&mut self, at: u64) -> Result<Option<Header>, ReadError> {
        let Some(block) = self.input.read_block()? else { return Ok(None) };
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        self.headers += 1;
        let limit = self.input.limits().entries;
        if self.headers > limit {
            return Err(Refusal::TooManyEntries { limit }.into());
        }
        let header = Header::from_byte_slice(&block).clone();
        let sum: u32 = block[..148].iter().chain(&block[156..]).map(|byte| u32::from(*byte)).sum();
        if header.cksum().ok() != Some(sum + 8 * 32) {
            let corrupt = Refusal::CorruptTar { at, reason: "the header's checksum is wrong" };
            return Err(if at == 0 { Refusal::NotTar } else { corrupt }.into());
        }
        // `tar` ignores the prefix field of a header with a damaged magic number, others do not.
        let is_oldest = block[257..265].iter().all(|byte| *byte == 0);
        if header.as_ustar().is_none() && header.as_gnu().is_none() && !is_oldest {
            return Err(Refusal::AmbiguousTar { at, reason: "its format is unknown" }.into());
        }
        // In the oldest format these letters were not extensions yet, and `tar` still reads them so.
        if is_oldest && matches!(block[156], b'L' | b'K' | b'x' | b'g' | b'S') {
            return Err(Refusal::AmbiguousTar { at, reason: "an extension in the oldest format" }.into());
        }
        Ok(Some(header))
    }

    /// The size in the header, written in a way that all readers understand alike, and remembered as what
    /// has to be read before the next header.
    fn size(&mut self, header: &Header, at: u64) -> Result<u64, ReadError> {
        let size = parse_number(&header.as_old().size)
            .ok_or(Refusal::CorruptTar { at, reason: "its size is not a number" })?;
        let limits = self.input.limits();
        // Before anything is read for it. This also keeps the sums below from overflowing.
        if size > limits.unpacked.saturating_sub(self.input.size()) {
            return Err(Refusal::TooLargeUnpacked { limit: limits.unpacked }.into());
        }
        self.left = size;
        self.left_padded = size.next_multiple_of(BLOCK as u64);
        Ok(size)
    }

    fn extension(&mut self, at: u64, size: u64) -> Result<Vec<u8>, ReadError> {
        let limit = self.input.limits().extension;
        if size > limit {
            return Err(Refusal::TooLargeExtension { at, size, limit }.into());
        }
        self.read_contents()
    }

    fn member(
        &self,
        header: &Header,
        extensions: Extensions,
        at: u64,
        size: u64,
    ) -> Result<Member, ReadError> {
        let kind = match header.entry_type() {
            EntryType::Regular => Kind::File,
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink,
            EntryType::Link => Kind::Hardlink,
            EntryType::Char | EntryType::Block | EntryType::Fifo => Kind::Device,
            other => Kind::Unknown(other.as_byte()),
        };
        if size > 0 && matches!(kind, Kind::Directory | Kind::Symlink | Kind::Hardlink | Kind::Device) {
            // Some readers skip that many bytes, others take them for the next header.
            return Err(Refusal::AmbiguousTar { at, reason: "an entry without contents has a size" }.into());
        }
        let pax = extensions.pax.unwrap_or_default();
        if pax.is_sparse {
            return Err(Refusal::Sparse { at }.into());
        }
        if let Some(pax) = pax.size.filter(|pax| *pax != size) {
            return Err(Refusal::PaxSizeMismatch { at, header: size, pax }.into());
        }
        let path = match (extensions.long_name, pax.path) {
            (Some(_), Some(_)) => {
                return Err(Refusal::AmbiguousTar { at, reason: "it has a GNU and a pax path" }.into());
            }
            (Some(path), None) | (None, Some(path)) => path,
            (None, None) => header.path_bytes().into_owned(),
        };
        let limit = self.input.limits().entry;
        if size > limit {
            return Err(Refusal::TooLargeEntry { path: shown(&path), limit }.into());
        }
        // A mode that is not a number says nothing about the contents: no bits.
        let mode = header.mode().unwrap_or_default() & 0o7777;
        Ok(Member { path, kind, mode })
    }
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.long_name.is_none() && !self.has_long_link && self.pax.is_none()
    }

    fn set_long_name(&mut self, mut name: Vec<u8>, at: u64) -> Result<(), Refusal> {
        if name.last() == Some(&0) {
            name.pop();
        }
        match self.long_name.replace(name) {
            None => Ok(()),
            Some(_) => Err(Refusal::AmbiguousTar { at, reason: "two long names for one entry" }),
        }
    }

    /// The target of a link is not kept, because links are refused whatever they point to.
    fn set_long_link(&mut self, at: u64) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.has_long_link, true) {
            return Err(Refusal::AmbiguousTar { at, reason: "two long link targets for one entry" });
        }
        Ok(())
    }

    fn set_pax(&mut self, pax: Pax, at: u64) -> Result<(), Refusal> {
        match self.pax.replace(pax) {
            None => Ok(()),
            Some(_) => Err(Refusal::AmbiguousTar { at, reason: "two sets of pax records for one entry" }),
        }
    }

    /// A global header may carry a comment, as `git archive` writes it. `tar` ignores global records and
    /// takes a global header for the entry that the extensions before it are meant for; others do neither.
    fn check_global(&self, pax: &Pax, at: u64) -> Result<(), Refusal> {
        if pax.is_sparse {
            return Err(Refusal::Sparse { at });
        }
        if pax.path.is_some() || pax.size.is_some() || pax.has_link_path {
            return Err(Refusal::AmbiguousTar { at, reason: "global records give a path or size" });
        }
        if !self.is_empty() {
            return Err(Refusal::AmbiguousTar { at, reason: "a global header after an extension header" });
        }
        Ok(())
    }
}

impl Pax {
    /// Reads `length key=value\n` records.
    ///
    /// `tar` splits at line ends and others by length; values with a line end are therefore refused, as is a
    /// key that comes twice, because the first wins here and the last there.
    fn parse(mut records: &[u8], at: u64) -> Result<Pax, Refusal> {
        let corrupt = || Refusal::CorruptTar { at, reason: "its pax records are malformed" };
        let mut pax = Pax::default();
        while !records.is_empty() {
            let (record, rest) = split_record(records).ok_or_else(corrupt)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(corrupt)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            if value.contains(&b'\n') || key.contains(&b'\n') {
                return Err(Refusal::AmbiguousTar { at, reason: "a pax record of several lines" });
            }
            let is_new = match key {
                b"path" => pax.path.replace(value.to_vec()).is_none(),
                b"size" => pax.size.replace(parse_decimal(value).ok_or_else(corrupt)?).is_none(),
                b"linkpath" => !std::mem::replace(&mut pax.has_link_path, true),
                _ => {
                    pax.is_sparse |= key.starts_with(b"GNU.sparse.");
                    true
                }
            };
            if !is_new {
                return Err(Refusal::AmbiguousTar { at, reason: "a pax record comes twice" });
            }
            records = rest;
        }
        Ok(pax)
    }
}

/// The first record without its length and line end, and the rest.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    // A length of more than ten digits is above every limit.
    let space = records.iter().take(11).position(|byte| *byte == b' ')?;
    let length = usize::try_from(parse_decimal(&records[..space])?).ok()?;
    if length <= space + 1 || length > records.len() || records[length - 1] != b'\n' {
        return None;
    }
    Some((&records[space + 1..length - 1], &records[length..]))
}

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    // `parse` alone would take a sign as well.
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A numeric field: octal digits up to a NUL or space, or the binary form for large numbers.
///
/// `tar` also takes signs, and ignores the upper bytes of a binary number. Such fields are refused, because
/// other readers see another number.
fn parse_number(field: &[u8; 12]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (upper, lower) = field.split_last_chunk::<8>()?;
        return (upper == [0x80, 0, 0, 0]).then(|| u64::from_be_bytes(*lower));
    }
    let start = field.iter().position(|byte| *byte != b' ')?;
    let digits = &field[start..];
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() || !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, digit| match digit {
        b'0'..=b'7' => Some(number * 8 + u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_every_reader_reads_them() {
        let accepted: [(&[u8; 12], u64); 6] = [
            (b"00000000644\0", 0o644),
            (b"        644 ", 0o644),
            (b"644\0\0\0\0\0\0\0\0\0", 0o644),
            (b"777777777777", 0o777_777_777_777),
            (b"0\0          ", 0),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", 1 << 33),
        ];
        for (field, number) in accepted {
            assert_eq!(parse_number(field), Some(number), "{}", field.escape_ascii());
        }
        let refused: [&[u8; 12]; 7] = [
            b"+0000000644\0",
            b"-0000000644\0",
            b"00000000648\0",
            b"0\x000000000644",
            b"            ",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x80\x01\0\0\0\0\0\0\0\0\0\0",
        ];
        for field in refused {
            assert_eq!(parse_number(field), None, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn pax_records_are_split_by_their_length() {
        let pax = Pax::parse(b"12 path=a=b\n9 size=7\n", 0).unwrap();
        assert_eq!((pax.path.as_deref(), pax.size), (Some(&b"a=b"[..]), Some(7)));
        assert!(Pax::parse(b"", 0).unwrap().path.is_none());
    }

    #[test]
    fn malformed_pax_records_are_refused() {
        for records in [
            &b"8 path=a\n"[..],
            b"11 path=a=b",
            b"0 path=a\n",
            b"+9 path=a\n",
            b"99999999999999999999 a=b\n",
            b"5 ab\n",
            b"4 =\n\n",
            b"10 size=-1\n",
            b"9 size=1",
            b" a=b\n",
        ] {
            let refusal = Pax::parse(records, 0).unwrap_err();
            let expected = matches!(refusal, Refusal::CorruptTar { .. } | Refusal::AmbiguousTar { .. });
            assert!(expected, "{}: {refusal}", records.escape_ascii());
        }
    }
}
