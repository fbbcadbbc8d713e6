//! The two streams below the tar entries: compressed bytes in, tar bytes out, both counted.
//!
//! `flate2` passes on an error of the reader below it as if it were its own, so [`Compressed`] keeps the
//! first one aside: this is how an I/O error is told from corrupt content.

use std::io::{self, BufRead, BufReader, Read};

use cratekeeper_model::{Checksum, ChecksumHasher};
use flate2::bufread::GzDecoder;

use crate::{Limits, ReadError, Refusal};

/// The size of every unit of a tar archive.
pub(crate) const BLOCK: usize = 512;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The compressed bytes, hashed and counted on their way in.
struct Compressed<R> {
    inner: R,
    hasher: ChecksumHasher,
    size: u64,
    limit: u64,
    first: Vec<u8>,
    failure: Option<ReadError>,
}

impl<R: Read> Compressed<R> {
    /// Reads what is left, so that the checksum covers the whole file.
    fn read_rest(&mut self) -> Result<(), ReadError> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(self.failure.take().unwrap_or(ReadError::Io(error))),
            }
        }
    }
}

impl<R: Read> Read for Compressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure.get_or_insert(ReadError::Io(error));
                    return Err(io::Error::other("the reader failed"));
                }
                Ok(read) => break read,
            }
        };
        let bytes = &buffer[..read];
        self.size += read as u64;
        if self.size > self.limit {
            let refusal = Refusal::TooLargeCompressed { limit: self.limit };
            self.failure.get_or_insert(refusal.into());
            return Err(io::Error::other("the limit is reached"));
        }
        self.hasher.update(bytes);
        let missing = GZIP_MAGIC.len() - self.first.len();
        self.first.extend(bytes.iter().take(missing));
        Ok(read)
    }
}

/// The tar stream: decompressed bytes, with the limits on their number.
pub(crate) struct Unpacked<'limits, R: Read> {
    decoder: GzDecoder<BufReader<Compressed<R>>>,
    limits: &'limits Limits,
    size: u64,
}

impl<'limits, R: Read> Unpacked<'limits, R> {
    pub(crate) fn new(reader: R, limits: &'limits Limits) -> Unpacked<'limits, R> {
        let compressed = Compressed {
            inner: reader,
            hasher: ChecksumHasher::default(),
            size: 0,
            limit: limits.compressed,
            first: Vec::new(),
            failure: None,
        };
        Unpacked { decoder: GzDecoder::new(BufReader::new(compressed)), limits, size: 0 }
    }

    pub(crate) fn limits(&self) -> &'limits Limits {
        self.limits
    }

    /// Bytes that came out so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Reads once; 0 bytes mean that the compressed stream ended and that its own checksum was right.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let read = match self.decoder.read(buffer) {
            Ok(read) => read,
            Err(error) => return Err(self.failure(&error)),
        };
        self.size += read as u64;
        if self.size > self.limits.unpacked {
            return Err(Refusal::TooLargeUnpacked { limit: self.limits.unpacked }.into());
        }
        let compressed = self.decoder.get_ref().get_ref().size;
        if self.size > self.limits.ratio_floor && self.size > compressed.saturating_mul(self.limits.ratio) {
            return Err(Refusal::ExpansionRatio { limit: self.limits.ratio }.into());
        }
        Ok(read)
    }

    /// Fills `buffer`, or says that the archive is cut off.
    pub(crate) fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ReadError> {
        let filled = self.read_up_to(buffer)?;
        if filled == buffer.len() { Ok(()) } else { Err(Refusal::Truncated { at: self.size }.into()) }
    }

    /// The next block, or `None` where the stream ends.
    pub(crate) fn read_block(&mut self) -> Result<Option<[u8; BLOCK]>, ReadError> {
        let mut block = [0; BLOCK];
        match self.read_up_to(&mut block)? {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(Refusal::Truncated { at: self.size }.into()),
        }
    }

    /// Reads to the end of the stream, which may hold nothing but zeros: bytes after the end of the archive
    /// are seen by readers that look for a further one, and by nobody else.
    pub(crate) fn read_padding(&mut self) -> Result<(), ReadError> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            match self.read(&mut buffer)? {
                0 => return Ok(()),
                read if buffer[..read].iter().any(|byte| *byte != 0) => {
                    return Err(Refusal::TrailingData { stream: "tar" }.into());
                }
                _ => {}
            }
        }
    }

    /// Refuses whatever follows the compressed stream. Zeros too: unlike those in a tar archive, no tool
    /// writes them.
    pub(crate) fn refuse_trailing(&mut self) -> Result<(), ReadError> {
        let following = match self.decoder.get_mut().fill_buf() {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.failure(&error)),
        };
        if following.is_empty() {
            Ok(())
        } else if following.starts_with(&GZIP_MAGIC) {
            Err(Refusal::TrailingGzipMember.into())
        } else {
            Err(Refusal::TrailingData { stream: "gzip" }.into())
        }
    }

    /// Checksum and size of all compressed bytes, those included that were not decompressed.
    pub(crate) fn into_checksum(self) -> Result<(Checksum, u64), ReadError> {
        let mut compressed = self.decoder.into_inner().into_inner();
        compressed.read_rest()?;
        Ok((compressed.hasher.finish(), compressed.size))
    }

    fn read_up_to(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    fn failure(&mut self, error: &io::Error) -> ReadError {
        let has_header = self.decoder.header().is_some();
        let compressed = self.decoder.get_mut().get_mut();
        if let Some(failure) = compressed.failure.take() {
            return failure;
        }
        let refusal = if compressed.first != GZIP_MAGIC {
            Refusal::NotGzip
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            Refusal::Truncated { at: self.size }
        } else if !has_header {
            Refusal::NotGzip
        } else {
            Refusal::CorruptGzip { reason: error.to_string() }
        };
        refusal.into()
    }
}
