//! The `facts` of one package, as one flat object.
//!
//! The sections in which facts are stored do not show: everything but `manifest` lies side by side, where
//! a reader looks for it.

use cratekeeper_model::Facts;
use cratekeeper_model::facts::{
    Dependency, FileEntry, ManifestDifference, ManifestFacts, RefusedEntry, Remark, Section, Setting,
    SpecialFile, SuspiciousCharacter, Target, VersionControl,
};
use serde::{Serialize, Serializer};

use super::flow::FlowObject;
use super::object::{Displayed, Each, object};
use super::source::{Place, UnsafeObject};
use super::words::Word as _;

pub(super) struct FactsObject<'a>(pub(super) &'a Facts);

impl Serialize for FactsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Facts { manifest, files, source, calls, flow } = self.0;
        let capabilities = self.0.capabilities();
        let place =
            Place { targets: &manifest.targets, files: &source.rust_files, functions: &source.functions };
        object!(serializer, {
            "sections": Sections(self.0),
            "manifest": ManifestObject(manifest),

            "compressed_size": files.compressed_size,
            "unpacked_size": files.unpacked_size,
            "files": Each(&files.entries, FileObject),
            "refused": Each(&files.refused, RefusedObject),
            "characters": Each(&files.characters, CharacterObject),
            "characters_total": files.characters_total,
            "special_files": Each(&files.special, SpecialObject),
            "remarks": Each(&files.remarks, RemarkObject),
            "remarks_total": files.remarks_total,

            "files_total": source.files_total,
            "files_parsed": source.files_parsed,
            "files_with_errors": source.files_with_errors,
            "files_unlinked": source.files_unlinked,
            "rust_files": place.each(&source.rust_files),
            "modules": place.each(&source.modules),
            "functions": place.each(&source.functions),
            "unsafe": UnsafeObject(&source.r#unsafe),
            "foreign_blocks": place.each(&source.foreign_blocks),
            "linkage": place.each(&source.linkage),
            "assembly": place.each(&source.assembly),
            "uses": place.each(&source.uses),
            "includes": place.each(&source.includes),
            "literals": place.each(&source.literals),
            "macros": place.each(&source.macros),
            "problems": source.problems,

            "capabilities": place.each(&capabilities),
            "flow": FlowObject(flow, place),
            "calls": calls.as_ref().map(|it| place.each(&it.calls)),
        })
    }
}

/// Versions of the sections that are there.
struct Sections<'a>(&'a Facts);

impl Serialize for Sections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has = |section: &Section| *section != Section::Calls || self.0.calls.is_some();
        let sections = Section::ALL.into_iter().filter(has);
        serializer.collect_map(sections.map(|section| (section.as_str(), section.version())))
    }
}

struct ManifestObject<'a>(&'a ManifestFacts);

impl Serialize for ManifestObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "name": it.name,
            "version": it.version,
            "edition": it.edition,
            "rust_version": it.rust_version,
            "license": it.license,
            "license_file": it.license_file,
            "description": it.description,
            "repository": it.repository,
            "homepage": it.homepage,
            "documentation": it.documentation,
            "authors": it.authors,
            "keywords": it.keywords,
            "categories": it.categories,
            "links": it.links,
            "targets": Each(&it.targets, TargetObject),
            "features": it.features,
            "dependencies": Each(&it.dependencies, DependencyObject),
            "version_control": it.version_control.as_ref().map(VersionControlObject),
            "has_original": it.has_original,
            "differences": Each(&it.differences, DifferenceObject),
            "problems": it.problems,
            "documentation_arguments": it.documentation_arguments,
        })
    }
}

struct TargetObject<'a>(&'a Target);

impl Serialize for TargetObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "kind": it.kind.word(),
            "name": it.name,
            "path": it.path,
            "exists": it.exists,
            "required_features": it.required_features,
            "runs_at_build_time": it.kind.runs_at_build_time(),
        })
    }
}

struct DependencyObject<'a>(&'a Dependency);

impl Serialize for DependencyObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "name": it.name,
            "package": it.package,
            "requirement": it.requirement,
            "section": it.section.word(),
            "target": it.target,
            "optional": it.optional,
            "default_features": it.default_features,
            "features": it.features,
            "registry": it.registry,
            "git": it.git,
            "path": it.path,
            "workspace": it.workspace,
        })
    }
}

struct VersionControlObject<'a>(&'a VersionControl);

impl Serialize for VersionControlObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, { "commit": it.commit, "dirty": it.dirty, "path": it.path })
    }
}

struct DifferenceObject<'a>(&'a ManifestDifference);

impl Serialize for DifferenceObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, { "field": it.field, "published": it.published, "original": it.original })
    }
}

struct FileObject<'a>(&'a FileEntry);

impl Serialize for FileObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "path": it.path,
            "size": it.size,
            "checksum": Displayed(&it.checksum),
            "kind": it.kind.word(),
            "entropy": it.entropy,
            "executable": it.executable,
            "hidden": it.hidden,
            "lines": it.lines,
            "longest_line": it.longest_line,
            "longest_line_number": it.longest_line_number,
        })
    }
}

struct RefusedObject<'a>(&'a RefusedEntry);

impl Serialize for RefusedObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, { "code": it.code, "message": it.message, "entry": it.entry })
    }
}

struct CharacterObject<'a>(&'a SuspiciousCharacter);

impl Serialize for CharacterObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "file": it.file,
            "line": it.line,
            "column": it.column,
            "code_point": it.code_point,
            "class": it.class.word(),
            "context": it.context.word(),
            "closed": it.closed,
            "excerpt": it.excerpt,
        })
    }
}

struct SpecialObject<'a>(&'a SpecialFile);

impl Serialize for SpecialObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "path": it.path,
            "role": it.role.word(),
            "settings": Each(&it.settings, SettingObject),
            "problem": it.problem,
        })
    }
}

struct SettingObject<'a>(&'a Setting);

impl Serialize for SettingObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, { "key": it.key, "value": it.value, "line": it.line })
    }
}

struct RemarkObject<'a>(&'a Remark);

impl Serialize for RemarkObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "file": it.file,
            "line": it.line,
            "column": it.column,
            "kind": it.kind.word(),
            "excerpt": it.excerpt,
        })
    }
}
