//! Numbers in as few bytes as they need: seven bits each, the eighth says that more follow.

/// Appends `value`.
pub(crate) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number from the front of `bytes`; `None` when they break off or the number has more than 64 bits.
#[inline]
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut value = u64::from(first & 0x7f);
    let mut last = first;
    let mut shift = 7;
    while last & 0x80 != 0 {
        let (&next, behind) = rest.split_first()?;
        if shift > 63 {
            return None;
        }
        value |= u64::from(next & 0x7f) << shift;
        (last, rest, shift) = (next, behind, shift + 7);
    }
    *bytes = rest;
    Some(value)
}

/// Small differences in both directions become small numbers.
pub(crate) fn zigzag(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}

/// The reverse of [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_round_trip(value: u64, difference: i64) {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            write(&mut bytes, zigzag(difference));
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read(&mut rest), Some(value));
            prop_assert_eq!(read(&mut rest).map(unzigzag), Some(difference));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while read(&mut rest).is_some() {}
        }
    }
}
