//! Versions of the table in the order of the index, and which version each dependency leads to.

use std::collections::{HashMap, HashSet, VecDeque};

use semver::Version;

use crate::file::FileWriter;
use crate::index::{DependencyRow, VersionRow, section};
use crate::interner::Interner;
use crate::resolution::{DependencyKinds, ResolutionTable};
use crate::segment::{Segment, SegmentVersion};
use crate::{GraphError, VersionNumber};

/// Versions that are looked at for a package that a version calls without depending on it: a re-export leads there
/// through few dependencies, and whole trees of real programs have fewer.
const MOST_DEPENDENCIES: usize = 4096;

/// A version of the table.
pub(super) struct LinkedVersion {
    pub(super) segment: usize,
    pub(super) index: usize,
    /// First function.
    pub(super) base: u32,
    /// Number of its package's name.
    package: u32,
    version: u32,
    number: VersionNumber,
    id: u32,
    crate_name: u32,
}

impl LinkedVersion {
    pub(super) fn open<'a>(&self, segments: &'a [Segment]) -> Result<SegmentVersion<'a>, GraphError> {
        segments[self.segment].version(self.index)
    }
}

pub(super) struct Versions {
    pub(super) all: Vec<LinkedVersion>,
    /// Names of packages, versions, files, conditions.
    pub(super) texts: Interner,
    /// Names of packages that there is a version of.
    packages: HashSet<u32>,
    dependency_starts: Vec<u32>,
    dependencies: Vec<DependencyRow>,
}

impl Versions {
    /// Finds the versions of the table, sorted by package name and version.
    pub(super) fn collect(segments: &[Segment], table: &ResolutionTable) -> Result<Versions, GraphError> {
        let mut found: Vec<(String, Version, VersionNumber, usize, usize)> = Vec::new();
        for (position, segment) in segments.iter().enumerate() {
            for index in 0..segment.len() {
                let version = segment.version(index)?;
                if table.versions().binary_search(&version.row.number).is_ok() {
                    let entry = version.entry()?;
                    found.push((entry.name, entry.version, version.row.number, position, index));
                }
            }
        }
        found.sort();
        let by_number: HashMap<VersionNumber, u32> =
            found.iter().enumerate().map(|(index, it)| (it.2, index as u32)).collect();
        let missing = table.versions().iter().find(|it| !by_number.contains_key(it));
        if let Some(&number) = missing {
            return Err(GraphError::NoVersion { number });
        }
        let mut texts = Interner::default();
        let mut all = Vec::with_capacity(found.len());
        for (name, version, number, segment, index) in found {
            let row = segments[segment].version(index)?.row;
            let mut text = |id| segments[segment].text(id).map(|it| texts.intern(it.as_bytes()));
            let (id, crate_name) = (text(row.package_id)?, text(row.crate_name)?);
            let package = texts.intern(name.as_bytes());
            let version = texts.intern(version.to_string().as_bytes());
            all.push(LinkedVersion { segment, index, base: 0, package, version, number, id, crate_name });
        }
        let packages = all.iter().map(|it| it.package).collect();
        let mut versions =
            Versions { all, texts, packages, dependency_starts: vec![0], dependencies: Vec::new() };
        versions.collect_dependencies(table, &by_number)?;
        Ok(versions)
    }

    fn collect_dependencies(
        &mut self,
        table: &ResolutionTable,
        by_number: &HashMap<VersionNumber, u32>,
    ) -> Result<(), GraphError> {
        for version in &self.all {
            for dependency in table.dependencies(version.number)? {
                // A dependency on a version outside of the table leads nowhere, like one that was never read.
                if let Some(&index) = by_number.get(&dependency.version) {
                    let kinds = dependency.kinds.bits().into();
                    self.dependencies.push(DependencyRow { version: index, kinds });
                }
            }
            let end = u32::try_from(self.dependencies.len());
            self.dependency_starts.push(end.map_err(|_| GraphError::TooLarge { what: "dependencies" })?);
        }
        Ok(())
    }

    /// Functions of a version, of `total` ones.
    pub(super) fn functions(&self, version: u32, total: u32) -> std::ops::Range<u32> {
        let start = self.all[version as usize].base;
        start..self.all.get(version as usize + 1).map_or(total, |it| it.base)
    }

    fn dependencies(&self, version: u32) -> &[DependencyRow] {
        let row = version as usize;
        &self.dependencies[self.dependency_starts[row] as usize..self.dependency_starts[row + 1] as usize]
    }

    /// The version of each external crate that `version` calls; `None` when the table does not lead to one.
    ///
    /// A direct dependency is what is meant. Crates that are reached through re-exports are looked for among the
    /// dependencies of dependencies, the nearest first.
    pub(super) fn resolve(
        &self,
        version: u32,
        segment: &Segment,
        view: &SegmentVersion<'_>,
    ) -> Result<Vec<Option<u32>>, GraphError> {
        let mut resolved = Vec::new();
        let mut open = Vec::new();
        for external in view.externals()? {
            let package = self.texts.find(segment.text(external.package)?.as_bytes());
            // A search for a package that no version is of (`std`) would look at all dependencies in vain.
            let package = package.filter(|it| self.packages.contains(it));
            let seen = match external.seen {
                crate::segment::NONE => None,
                seen => self.texts.find(segment.text(seen)?.as_bytes()),
            };
            let found = package.and_then(|package| self.direct(version, package, seen));
            if let (None, Some(package)) = (found, package) {
                open.push((resolved.len(), package));
            }
            resolved.push(found);
        }
        if !open.is_empty() {
            self.resolve_indirect(version, &open, &mut resolved);
        }
        Ok(resolved)
    }

    fn direct(&self, version: u32, package: u32, seen: Option<u32>) -> Option<u32> {
        if self.all[version as usize].package == package {
            return Some(version);
        }
        let candidates = self.dependencies(version).iter().map(|it| it.version);
        let candidates = candidates.filter(|it| self.all[*it as usize].package == package);
        // One package in two versions under two names: the one that was seen, or else the highest.
        candidates.max_by_key(|it| (seen == Some(self.all[*it as usize].version), *it))
    }

    fn resolve_indirect(&self, version: u32, open: &[(usize, u32)], resolved: &mut [Option<u32>]) {
        let mut wanted: HashMap<u32, Vec<usize>> = HashMap::new();
        for &(position, package) in open {
            wanted.entry(package).or_default().push(position);
        }
        let mut seen = HashSet::from([version]);
        let mut queue = VecDeque::from([version]);
        while let Some(next) = queue.pop_front() {
            for row in self.dependencies(next) {
                if DependencyKinds::from_bits(row.kinds as u8).is_only_dev() && next != version {
                    continue;
                }
                if seen.len() >= MOST_DEPENDENCIES || !seen.insert(row.version) {
                    continue;
                }
                for position in wanted.remove(&self.all[row.version as usize].package).unwrap_or_default() {
                    resolved[position] = Some(row.version);
                }
                if wanted.is_empty() {
                    return;
                }
                queue.push_back(row.version);
            }
        }
    }

    pub(super) fn write_entries(&self, segments: &[Segment], out: &mut FileWriter) -> Result<(), GraphError> {
        let mut starts = vec![0_u64];
        let mut entries = Vec::with_capacity(self.all.len());
        for version in &self.all {
            let bytes = version.open(segments)?.entry_bytes()?;
            starts.push(starts[starts.len() - 1] + bytes.len() as u64);
            entries.push(bytes);
        }
        out.column(section::ENTRY_STARTS, &starts)?;
        out.stream(section::ENTRIES, |sink| {
            entries.iter().try_for_each(|it| std::io::Write::write_all(sink, it))
        })
    }

    /// Writes the versions, their keys and the edges between them.
    pub(super) fn write(&self, functions: u32, out: &mut FileWriter) -> Result<(), GraphError> {
        let mut rows: Vec<VersionRow> = self
            .all
            .iter()
            .map(|it| VersionRow {
                number: it.number,
                package: it.package,
                crate_name: it.crate_name,
                version: it.version,
                id: it.id,
                function: it.base,
            })
            .collect();
        rows.push(VersionRow { function: functions, ..VersionRow::default() });
        out.column(section::VERSIONS, &rows)?;
        out.column(section::DEPENDENCY_STARTS, &self.dependency_starts)?;
        out.column(section::DEPENDENCIES, &self.dependencies)?;
        let mut lengths = vec![0_u32; self.all.len()];
        for row in &self.dependencies {
            lengths[row.version as usize] += 1;
        }
        let starts = super::starts(lengths.into_iter())?;
        let mut next = starts.clone();
        let mut dependents = vec![DependencyRow { version: 0, kinds: 0 }; self.dependencies.len()];
        for version in 0..self.all.len() as u32 {
            for row in self.dependencies(version) {
                let position = &mut next[row.version as usize];
                dependents[*position as usize] = DependencyRow { version, kinds: row.kinds };
                *position += 1;
            }
        }
        out.column(section::DEPENDENT_STARTS, &starts)?;
        out.column(section::DEPENDENTS, &dependents)?;
        self.write_keys(out)
    }

    fn write_keys(&self, out: &mut FileWriter) -> Result<(), GraphError> {
        let mut keys: Vec<(Vec<u8>, u64)> = Vec::with_capacity(self.all.len());
        for (index, it) in self.all.iter().enumerate() {
            let key = [self.texts.text(it.package), b"@", self.texts.text(it.version)].concat();
            keys.push((key, index as u64));
        }
        keys.sort();
        keys.dedup_by(|a, b| a.0 == b.0);
        out.stream(section::VERSION_KEYS, |sink| {
            let mut builder = fst::MapBuilder::new(sink).map_err(std::io::Error::other)?;
            for (key, value) in &keys {
                builder.insert(key, *value).map_err(std::io::Error::other)?;
            }
            builder.finish().map_err(std::io::Error::other)
        })
    }

    pub(super) fn write_texts(&self, out: &mut FileWriter) -> Result<(), GraphError> {
        if self.texts.text_length() > u32::MAX as usize {
            return Err(GraphError::TooLarge { what: "names of files" });
        }
        out.column(section::TEXT_OFFSETS, &self.texts.offsets())?;
        out.column(section::TEXTS, self.texts.bytes())
    }
}
