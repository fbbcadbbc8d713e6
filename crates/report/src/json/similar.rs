//! Likeness as documents.

use std::io::{self, Write};

use cratekeeper_model::SimilarCrate;
use serde::{Serialize, Serializer};

use super::object::{Displayed, Each, object};
use super::{EvidenceObject, write_line};
use crate::Tool;
use crate::similar::{Built, Likes};

/// The `schema` of [`similar`]'s documents.
pub const SIMILAR_SCHEMA: &str = "cratekeeper.similar/1";

/// The `schema` of [`similar_index`]'s documents.
pub const SIMILAR_INDEX_SCHEMA: &str = "cratekeeper.similar-index/1";

/// Writes which crates are like one, on one line.
///
/// # Errors
///
/// Fails if `out` does.
pub fn similar(tool: Tool<'_>, likes: &Likes<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_line(&LikesDocument(tool, *likes), out)
}

/// Writes what was made of an index.
///
/// # Errors
///
/// Fails if `out` does.
pub fn similar_index(tool: Tool<'_>, built: &Built<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_line(&BuiltDocument(tool, *built), out)
}

struct LikesDocument<'a>(Tool<'a>, Likes<'a>);

impl Serialize for LikesDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let LikesDocument(tool, Likes { package, similar }) = self;
        object!(serializer, {
            "schema": SIMILAR_SCHEMA,
            "tool": tool,
            "id": package.id.as_str(),
            "name": package.name,
            "version": Displayed(&package.version),
            "similar": Each(similar, SimilarObject),
        })
    }
}

struct SimilarObject<'a>(&'a SimilarCrate);

impl Serialize for SimilarObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "name": it.name,
            "version": it.version,
            "source_percent": it.source,
            "structure_percent": it.structure,
            "readme_percent": it.readme,
            "description_percent": it.description,
            "same_repository": it.same_repository,
            "same_owner": it.same_owner,
            "same_author": it.same_author,
            "other_is_older": it.other_is_older,
            "functions_shared": it.shared_functions.0,
            "functions": it.shared_functions.1,
            "differing": Each(&it.differing, EvidenceObject),
        })
    }
}

struct BuiltDocument<'a>(Tool<'a>, Built<'a>);

impl Serialize for BuiltDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let BuiltDocument(tool, Built { index, versions, refused }) = self;
        object!(serializer, {
            "schema": SIMILAR_INDEX_SCHEMA,
            "tool": tool,
            "index": index,
            "versions": versions,
            "refused": Each(refused, RefusedObject),
        })
    }
}

struct RefusedObject<'a>(&'a (String, String));

impl Serialize for RefusedObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (file, reason) = self.0;
        object!(serializer, { "file": file, "reason": reason })
    }
}
