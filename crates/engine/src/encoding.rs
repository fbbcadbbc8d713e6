//! How facts are stored and sent: MessagePack, one value for each section.
//!
//! Structs are arrays by position, so that a million call sites do not repeat their field names. Fields are only added at
//! the end, with a default; `docs/facts.md` describes the format.

use cratekeeper_model::Facts;
use cratekeeper_model::facts::Section;

/// One section, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodedSection {
    pub(crate) section: Section,
    pub(crate) bytes: Vec<u8>,
}

/// Encodes the sections of `facts`; the calls only if they are there.
pub(crate) fn encode(facts: &Facts) -> Result<Vec<EncodedSection>, rmp_serde::encode::Error> {
    let mut encoded = vec![
        EncodedSection { section: Section::Manifest, bytes: rmp_serde::to_vec(&facts.manifest)? },
        EncodedSection { section: Section::Files, bytes: rmp_serde::to_vec(&facts.files)? },
        EncodedSection { section: Section::Source, bytes: rmp_serde::to_vec(&facts.source)? },
        EncodedSection { section: Section::Flow, bytes: rmp_serde::to_vec(&facts.flow)? },
    ];
    if let Some(calls) = &facts.calls {
        encoded.push(EncodedSection { section: Section::Calls, bytes: rmp_serde::to_vec(calls)? });
    }
    Ok(encoded)
}

/// Puts sections back together. Those that are missing stay empty.
pub(crate) fn decode<'b>(
    sections: impl IntoIterator<Item = (Section, &'b [u8])>,
) -> Result<Facts, rmp_serde::decode::Error> {
    let mut facts = Facts::default();
    for (section, bytes) in sections {
        match section {
            Section::Manifest => facts.manifest = rmp_serde::from_slice(bytes)?,
            Section::Files => facts.files = rmp_serde::from_slice(bytes)?,
            Section::Source => facts.source = rmp_serde::from_slice(bytes)?,
            Section::Calls => facts.calls = Some(rmp_serde::from_slice(bytes)?),
            Section::Flow => facts.flow = rmp_serde::from_slice(bytes)?,
        }
    }
    Ok(facts)
}
