//! Reads and writes frames: a length of four bytes and as much data.

use std::io::{self, Read, Write};

/// Reads one frame, or nothing at the end.
pub fn read(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 4];
    match input.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_be_bytes(head) as usize;
    let mut data = vec![0; length];
    input.read_exact(&mut data)?;
    Ok(Some(data))
}

/// Writes one frame.
pub fn write(output: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = u32::try_from(data.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(data)
}

/// Reads frames until the end.
pub struct Frames<R> {
    input: R,
}

impl<R: Read> Frames<R> {
    pub fn new(input: R) -> Self {
        Self { input }
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        read(&mut self.input).transpose()
    }
}
