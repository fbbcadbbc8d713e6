//! Records of fields in a compact form.

mod varint;

use std::fmt;

/// A field: its number and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub number: u64,
    pub bytes: &'a [u8],
}

/// The bytes end within a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    pub offset: usize,
}

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record ends within the field at byte {}", self.offset)
    }
}

impl std::error::Error for Truncated {}

/// Writes one field after what is there.
pub fn write(field: &Field<'_>, out: &mut Vec<u8>) {
    varint::encode(field.number, out);
    varint::encode(field.bytes.len() as u64, out);
    out.extend_from_slice(field.bytes);
}

/// Reads all fields.
pub fn read(bytes: &[u8]) -> Result<Vec<Field<'_>>, Truncated> {
    let mut fields = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let short = Truncated { offset };
        let (number, first) = varint::decode(&bytes[offset..]).ok_or(short)?;
        let (length, second) = varint::decode(&bytes[offset + first..]).ok_or(short)?;
        let begin = offset + first + second;
        let end = begin.checked_add(length as usize).filter(|it| *it <= bytes.len()).ok_or(short)?;
        fields.push(Field { number, bytes: &bytes[begin..end] });
        offset = end;
    }
    Ok(fields)
}
