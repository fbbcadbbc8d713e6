//! Which versions depend on which: dependents of a crate, the most depended on, the latest, the duplicates.

use semver::Version;

use super::blast::Level;
use crate::index::DependencyRow;
use crate::resolution::DependencyKinds;
use crate::{Graph, GraphError, VersionId};

/// Dependents that are propagated at once, in words of 64: a row of eight is a cache line.
const WORDS: usize = 8;
const BLOCK: u32 = WORDS as u32 * 64;

/// Sweeps over cyclic dependencies. Cargo allows no cycles but through development dependencies, which are left out;
/// an invented table may have them, and each sweep completes at least one step around them.
const MOST_SWEEPS: usize = 1_000;

/// Who depends on a crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// What is new at each distance; level 0 are the versions of the crate.
    pub levels: Vec<Level>,
    /// Versions that depend directly on one of them.
    pub direct: Vec<VersionId>,
    /// Versions that depend on one of them at all, the direct ones included.
    pub transitive: Vec<VersionId>,
    /// Distinct packages among the direct ones.
    pub direct_packages: u64,
    /// Distinct packages among all.
    pub transitive_packages: u64,
}

/// A package and how many depend on any version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopDependents {
    /// Name of the package.
    pub package: String,
    /// Versions that depend on it.
    pub versions: u64,
    /// Distinct packages that do.
    pub packages: u64,
}

/// A package of which the table has several versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Name of the package.
    pub package: String,
    /// Its versions, ascending.
    pub versions: Vec<VersionId>,
}

/// Dependents of a package, counted block by block in the order of versions.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    versions: u64,
    packages: u64,
    /// Package that was counted last. Versions of one are neighbours, so that is enough to count it once.
    last: Option<u32>,
}

fn is_only_dev(row: &DependencyRow) -> bool {
    DependencyKinds::from_bits(row.kinds as u8).is_only_dev()
}

impl Graph {
    /// Who depends on these versions. Development dependencies count for the versions that have them only.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn dependents(&self, of: &[VersionId]) -> Result<Dependents, GraphError> {
        let mut of: Vec<u32> = of.iter().map(|it| it.0).collect();
        of.sort_unstable();
        let mut answer = Dependents::default();
        answer.levels = self.dependent_levels(&of, |version, distance| match distance {
            0 => {}
            1 => answer.direct.push(VersionId(version)),
            _ => answer.transitive.push(VersionId(version)),
        })?;
        answer.transitive.extend(&answer.direct);
        answer.transitive.sort();
        answer.direct.sort();
        answer.direct_packages = self.distinct_packages(&answer.direct)?;
        answer.transitive_packages = self.distinct_packages(&answer.transitive)?;
        Ok(answer)
    }

    /// Versions are sorted by package, so neighbours tell.
    fn distinct_packages(&self, sorted: &[VersionId]) -> Result<u64, GraphError> {
        let (mut count, mut previous) = (0, None);
        for version in sorted {
            let package = self.index.version(version.0)?.package;
            count += u64::from(previous.replace(package) != Some(package));
        }
        Ok(count)
    }

    /// What a version depends on directly.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn dependencies(&self, of: VersionId) -> Result<Vec<(VersionId, DependencyKinds)>, GraphError> {
        let rows = self.index.dependencies(of.0)?.iter();
        Ok(rows.map(|it| (VersionId(it.version), DependencyKinds::from_bits(it.kinds as u8))).collect())
    }

    /// Ranges of versions of one package each, in the order of names.
    pub(crate) fn packages(&self) -> Result<Vec<std::ops::Range<u32>>, GraphError> {
        let mut packages: Vec<std::ops::Range<u32>> = Vec::new();
        let mut previous = None;
        for version in 0..self.index.versions() {
            let package = self.index.version(version)?.package;
            match packages.last_mut() {
                Some(last) if previous == Some(package) => last.end = version + 1,
                _ => packages.push(version..version + 1),
            }
            previous = Some(package);
        }
        Ok(packages)
    }

    fn package_name(&self, version: u32) -> Result<String, GraphError> {
        Ok(self.index.text(self.index.version(version)?.package)?.to_owned())
    }

    /// The packages with the most direct dependents, by versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn top_by_direct_dependents(&self, count: usize) -> Result<Vec<TopDependents>, GraphError> {
        let mut top = Vec::new();
        for package in self.packages()? {
            let mut dependents = Vec::new();
            for version in package.clone() {
                let rows = self.index.dependents(version)?.iter();
                dependents.extend(rows.map(|it| VersionId(it.version)).filter(|it| !package.contains(&it.0)));
            }
            dependents.sort();
            dependents.dedup();
            let counted = (dependents.len() as u64, self.distinct_packages(&dependents)?);
            top.push((counted, package.start));
        }
        self.name_top(top, count)
    }

    fn name_top(
        &self,
        mut top: Vec<((u64, u64), u32)>,
        count: usize,
    ) -> Result<Vec<TopDependents>, GraphError> {
        top.sort_by_key(|it| (std::cmp::Reverse(it.0), it.1));
        top.into_iter()
            .take(count)
            .filter(|it| it.0.0 > 0)
            .map(|((versions, packages), version)| {
                Ok(TopDependents { package: self.package_name(version)?, versions, packages })
            })
            .collect()
    }

    /// The packages with the most direct and indirect dependents, by versions.
    ///
    /// Exact, at the cost of a sweep over all dependencies for every 512 versions: seconds for a whole registry.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn top_by_transitive_dependents(&self, count: usize) -> Result<Vec<TopDependents>, GraphError> {
        let packages = self.packages()?;
        let mut totals = vec![Total::default(); packages.len()];
        let (order, cyclic) = self.dependents_first()?;
        let mut reached = vec![[0_u64; WORDS]; self.index.versions() as usize];
        for start in (0..self.index.versions()).step_by(BLOCK as usize) {
            let block = start..start.saturating_add(BLOCK);
            self.sweep(&order, cyclic, &block, &mut reached)?;
            for (package, total) in packages.iter().zip(&mut totals) {
                self.tally_block(package, start, &reached, total)?;
            }
        }
        let top =
            totals.iter().zip(packages).map(|(it, package)| ((it.versions, it.packages), package.start));
        self.name_top(top.collect(), count)
    }

    /// Propagates "is reached from version `block.start + i`" along dependencies, as bit `i`.
    fn sweep(
        &self,
        order: &[u32],
        cyclic: bool,
        block: &std::ops::Range<u32>,
        reached: &mut [[u64; WORDS]],
    ) -> Result<(), GraphError> {
        reached.fill([0; WORDS]);
        for _ in 0..if cyclic { MOST_SWEEPS } else { 1 } {
            let mut changed = false;
            for &version in order {
                let mut bits = reached[version as usize];
                if block.contains(&version) {
                    let bit = (version - block.start) as usize;
                    bits[bit / 64] |= 1 << (bit % 64);
                }
                if bits == [0; WORDS] {
                    continue;
                }
                for row in self.index.dependencies(version)?.iter().filter(|it| !is_only_dev(it)) {
                    let Some(target) = reached.get_mut(row.version as usize) else { continue };
                    let before = *target;
                    target.iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
                    changed |= *target != before;
                }
            }
            if !changed {
                break;
            }
        }
        Ok(())
    }

    fn tally_block(
        &self,
        package: &std::ops::Range<u32>,
        start: u32,
        reached: &[[u64; WORDS]],
        total: &mut Total,
    ) -> Result<(), GraphError> {
        let mut union = [0_u64; WORDS];
        for version in package.clone() {
            union.iter_mut().zip(reached[version as usize]).for_each(|(word, bits)| *word |= bits);
        }
        for (position, mut word) in (0_u32..).zip(union) {
            while word != 0 {
                let dependent = start + position * 64 + word.trailing_zeros();
                word &= word - 1;
                if !package.contains(&dependent) {
                    let name = self.index.version(dependent)?.package;
                    total.versions += 1;
                    total.packages += u64::from(total.last.replace(name) != Some(name));
                }
            }
        }
        Ok(())
    }

    /// All versions, dependents before what they depend on, and whether cycles made that impossible for some.
    fn dependents_first(&self) -> Result<(Vec<u32>, bool), GraphError> {
        let count = self.index.versions();
        let mut waiting = vec![0_u32; count as usize];
        for version in 0..count {
            for row in self.index.dependencies(version)?.iter().filter(|it| !is_only_dev(it)) {
                if let Some(it) = waiting.get_mut(row.version as usize) {
                    *it += 1;
                }
            }
        }
        let mut order: Vec<u32> = (0..count).filter(|it| waiting[*it as usize] == 0).collect();
        let mut next = 0;
        while let Some(&version) = order.get(next) {
            next += 1;
            for row in self.index.dependencies(version)?.iter().filter(|it| !is_only_dev(it)) {
                let Some(it) = waiting.get_mut(row.version as usize) else { continue };
                *it -= 1;
                if *it == 0 {
                    order.push(row.version);
                }
            }
        }
        let cyclic = order.len() < count as usize;
        order.extend((0..count).filter(|it| waiting[*it as usize] > 0));
        Ok((order, cyclic))
    }

    /// The highest version of each package; a pre-release only where there is nothing else.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn latest_versions(&self) -> Result<Vec<VersionId>, GraphError> {
        let mut latest = Vec::new();
        for package in self.packages()? {
            let mut best: Option<((bool, Version), u32)> = None;
            for version in package {
                let text = self.index.text(self.index.version(version)?.version)?;
                let Ok(number) = Version::parse(text) else { continue };
                let key = (number.pre.is_empty(), number);
                if best.as_ref().is_none_or(|it| it.0 <= key) {
                    best = Some((key, version));
                }
            }
            latest.extend(best.map(|it| VersionId(it.1)));
        }
        Ok(latest)
    }

    /// Packages of which there are several versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn duplicates(&self) -> Result<Vec<Duplicate>, GraphError> {
        let packages = self.packages()?.into_iter().filter(|it| it.len() > 1);
        packages
            .map(|it| {
                Ok(Duplicate { package: self.package_name(it.start)?, versions: it.map(VersionId).collect() })
            })
            .collect()
    }
}
