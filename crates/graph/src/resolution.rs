//! Resolution tables: which version each dependency leads to, in a lockfile or at a point in time.
//!
//! A table names versions by their numbers in the store, so it stays valid when segments are added or merged.

use std::path::Path;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use cratekeeper_model::DependencyKind;

use crate::file::{Column, FileKind, FileWriter, MappedFile};
use crate::{GraphError, VersionNumber};

const VERSIONS: u32 = 1;
const STARTS: u32 = 2;
const DEPENDENCIES: u32 = 3;

/// Which versions there are, and what each depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Versions that take part. Others in the store do not exist for questions about this table.
    pub versions: Vec<ResolvedVersion>,
}

/// A version and what its dependencies lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedVersion {
    /// The version.
    pub number: VersionNumber,
    /// What it depends on; dependencies that the store has no version for are left out.
    pub dependencies: Vec<ResolvedDependency>,
}

/// Where a dependency leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedDependency {
    /// The version that is used.
    pub version: VersionNumber,
    /// What it is used for.
    pub kinds: DependencyKinds,
}

/// What a dependency is used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyKinds(u8);

impl DependencyKinds {
    /// In what is built.
    pub const NORMAL: DependencyKinds = DependencyKinds(1);

    /// All of the kinds.
    #[must_use]
    pub fn of(kinds: &[DependencyKind]) -> DependencyKinds {
        DependencyKinds(kinds.iter().fold(0, |bits, it| bits | DependencyKinds::bit(*it)))
    }

    fn bit(kind: DependencyKind) -> u8 {
        match kind {
            DependencyKind::Normal => 1,
            DependencyKind::Build => 2,
            DependencyKind::Dev => 4,
        }
    }

    /// Whether this kind is among them.
    #[must_use]
    pub fn contains(self, kind: DependencyKind) -> bool {
        self.0 & DependencyKinds::bit(kind) != 0
    }

    /// Whether tests, examples and benchmarks alone use it, which dependents of dependents do not build.
    #[must_use]
    pub fn is_only_dev(self) -> bool {
        self.0 == DependencyKinds::bit(DependencyKind::Dev)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u8) -> DependencyKinds {
        DependencyKinds(bits)
    }
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct DependencyRow {
    version: u32,
    kinds: u32,
}

impl Resolution {
    /// Writes the table as `directory/name`. Returns its length in bytes.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> Result<u64, GraphError> {
        let mut versions: Vec<&ResolvedVersion> = self.versions.iter().collect();
        versions.sort_by_key(|it| it.number);
        versions.dedup_by_key(|it| it.number);
        let numbers: Vec<u32> = versions.iter().map(|it| it.number).collect();
        let mut starts = vec![0_u32];
        let mut rows = Vec::new();
        for version in versions {
            let row =
                |it: &ResolvedDependency| DependencyRow { version: it.version, kinds: it.kinds.0.into() };
            rows.extend(version.dependencies.iter().map(row));
            starts
                .push(u32::try_from(rows.len()).map_err(|_| GraphError::TooLarge { what: "dependencies" })?);
        }
        let mut out = FileWriter::create(directory, name, FileKind::Resolution, 3)?;
        out.column(VERSIONS, &numbers)?;
        out.column(STARTS, &starts)?;
        out.column(DEPENDENCIES, &rows)?;
        out.finish()
    }
}

/// A table that is open for reading.
#[derive(Debug)]
pub(crate) struct ResolutionTable {
    file: Arc<MappedFile>,
    versions: Column<u32>,
    starts: Column<u32>,
    dependencies: Column<DependencyRow>,
}

impl ResolutionTable {
    pub(crate) fn open(path: &Path) -> Result<ResolutionTable, GraphError> {
        let file = MappedFile::open(path, FileKind::Resolution)?;
        let table = ResolutionTable {
            versions: file.column(VERSIONS)?,
            starts: file.column(STARTS)?,
            dependencies: file.column(DEPENDENCIES)?,
            file,
        };
        if table.starts.values().len() != table.versions.values().len() + 1 {
            return Err(table.file.damaged("its columns do not fit together"));
        }
        Ok(table)
    }

    pub(crate) fn verify(&self) -> Result<(), GraphError> {
        self.file.verify()
    }

    /// Numbers of the versions, ascending.
    pub(crate) fn versions(&self) -> &[VersionNumber] {
        self.versions.values()
    }

    /// What a version depends on.
    pub(crate) fn dependencies(&self, number: VersionNumber) -> Result<Vec<ResolvedDependency>, GraphError> {
        let Ok(index) = self.versions().binary_search(&number) else { return Ok(Vec::new()) };
        let starts = self.starts.values();
        let rows = match (starts.get(index), starts.get(index + 1)) {
            (Some(&start), Some(&end)) => self.dependencies.values().get(start as usize..end as usize),
            _ => None,
        };
        let rows = rows.ok_or_else(|| self.file.damaged("dependencies lie outside of their column"))?;
        let dependency = |it: &DependencyRow| ResolvedDependency {
            version: it.version,
            kinds: DependencyKinds(it.kinds as u8),
        };
        Ok(rows.iter().map(dependency).collect())
    }

    /// The whole table.
    pub(crate) fn resolution(&self) -> Result<Resolution, GraphError> {
        let version =
            |&number: &u32| Ok(ResolvedVersion { number, dependencies: self.dependencies(number)? });
        Ok(Resolution { versions: self.versions().iter().map(version).collect::<Result<_, GraphError>>()? })
    }
}
