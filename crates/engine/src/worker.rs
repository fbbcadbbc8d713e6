//! The worker: a process of its own that reads hostile bytes, one package after the other.
//!
//! It is the program itself, started again with [`WORKER_ARGUMENT`]. Requests come on standard input and replies go to
//! standard output, each as a length (four bytes, little endian) and that many bytes of MessagePack. Before it reads the first
//! package it gives up what it does not need: it can write no file, open no more than a few, and use no more than its
//! share of memory. A package that makes it hang, explode or abort costs this process and nothing else.

use std::io::{self, Read, Write};

use cratekeeper_model::Checksum;
use cratekeeper_model::facts::{RefusedEntry, Section};
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Subject, analyze, analyze_manifest, on_large_stack};
use crate::call_graphs::reading::{self, GraphReply, GraphRequest, Reader};
use crate::encoding::{EncodedSection, encode};

/// First argument that turns the program into a worker. Not for people.
pub const WORKER_ARGUMENT: &str = "--analysis-worker";

/// Largest message either side accepts. The facts of the largest real crates take about 100 MB.
pub(crate) const MESSAGE_BYTES: u32 = 1 << 30;

/// A request to analyse one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// For facts: these sections are sent back.
    Facts { subject: Subject, sections: Vec<Section> },
    /// For its call graph.
    Graph(Box<GraphRequest>),
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Facts { checksum: Checksum, sections: Vec<(Section, Bytes)> },
    Graph(Box<GraphReply>),
    Refused(RefusedEntry),
    Unreadable(String),
}

/// Bytes that MessagePack stores as such, rather than as an array of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// Runs as a worker until standard input ends. `memory` is the address space in bytes that the process may use.
///
/// # Errors
///
/// When a limit cannot be set, or when the other side goes away in the middle of a message.
pub fn run(memory: u64) -> io::Result<()> {
    limit_resources(memory)?;
    while let Some(request) = next_request()? {
        if matches!(request, Request::Graph(_)) {
            // From here on one thread, so that what it knows of names is there for the next package.
            return on_large_stack(reading::STACK, || read_graphs(request));
        }
        reply(&answer(&request, None))?;
    }
    Ok(())
}

/// Answers a request for a graph, and all that follow.
fn read_graphs(first: Request) -> io::Result<()> {
    let mut reader = Reader::default();
    let mut next = Some(first);
    while let Some(request) = next {
        reply(&answer(&request, Some(&mut reader)))?;
        next = next_request()?;
    }
    Ok(())
}

fn next_request() -> io::Result<Option<Request>> {
    let message = read_message(&mut io::stdin().lock())?;
    message.map(|it| rmp_serde::from_slice(&it).map_err(io::Error::other)).transpose()
}

fn reply(reply: &Reply) -> io::Result<()> {
    write_message(&mut io::stdout().lock(), &rmp_serde::to_vec(reply).map_err(io::Error::other)?)
}

fn answer(request: &Request, reader: Option<&mut Reader>) -> Reply {
    let (subject, sections) = match (request, reader) {
        (Request::Facts { subject, sections }, _) => (subject, sections),
        (Request::Graph(request), reader) => {
            let read = reader.map_or_else(|| Reader::default().read(request), |it| it.read(request));
            return read.map_or_else(Reply::Unreadable, |it| Reply::Graph(Box::new(it)));
        }
    };
    let analysis =
        if *sections == [Section::Manifest] { analyze_manifest(subject) } else { analyze(subject) };
    match analysis {
        Analysis::Facts { checksum, facts } => match encode(&facts) {
            Ok(encoded) => Reply::Facts { checksum, sections: wanted(encoded, sections) },
            Err(error) => Reply::Unreadable(format!("failed to encode facts: {error}")),
        },
        Analysis::Refused(refusal) => Reply::Refused(refusal),
        Analysis::Unreadable(reason) => Reply::Unreadable(reason),
    }
}

fn wanted(encoded: Vec<EncodedSection>, sections: &[Section]) -> Vec<(Section, Bytes)> {
    let wanted = encoded.into_iter().filter(|it| sections.contains(&it.section));
    wanted.map(|it| (it.section, Bytes(it.bytes))).collect()
}

/// Limits that hold for the rest of the process, and for everything it might be tricked into.
#[cfg(unix)]
fn limit_resources(memory: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = [
        (Resource::As, memory),
        // No file is ever written: one less thing a parser's bug could do.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        // Standard streams, one archive, and what the runtime needs.
        (Resource::Nofile, 64),
    ];
    for (resource, limit) in limits {
        // Asking for more than the hard limit is refused; a lower hard limit serves as well.
        let maximum = getrlimit(resource).maximum.map_or(limit, |hard| hard.min(limit));
        setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// Other platforms have the deadline, which the parent enforces, and no memory limit.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on all platforms")]
fn limit_resources(_memory: u64) -> io::Result<()> {
    Ok(())
}

/// The next message, or `None` at the end.
pub(crate) fn read_message(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > MESSAGE_BYTES {
        return Err(io::Error::other(format!("a message of {length} bytes is above the limit")));
    }
    // Grows with what arrives: a length alone reserves nothing.
    let mut message = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut message)?;
    if message.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

/// Sends one message.
pub(crate) fn write_message(output: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).ok().filter(|length| *length <= MESSAGE_BYTES);
    let length = length
        .ok_or_else(|| io::Error::other(format!("a message of {} bytes is too long", message.len())))?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(message)?;
    output.flush()
}
