//! Who depends on whom, by the newest version of each crate: who is hit by a version before anybody has fetched it.
//!
//! An index says of each version what it depends on, and nothing the other way around. Here the dependencies of one version of each crate are
//! kept, by name: of its highest that is not withdrawn, full releases before pre-releases. That is what builds without a lockfile take, so it
//! is an estimate: a lockfile may hold an older version with other dependencies. The line of an index is read as cargo writes it; what
//! cannot be read depends on nothing.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, dependencies, versions};
use crate::error::During;
use crate::registries::{crate_by_id, crates_by_id};
use crate::versions::versions_of;
use crate::words::{canonical_name, clean};
use crate::{CrateId, CrateRecord, Store, StoreError};

/// Dependencies that are kept of one version. Cargo and the public registry have no limit; the largest honest manifests have some hundred.
const KEPT: usize = 1_000;

/// Longest name and requirement that are kept; registries end names at 64 characters, and requirements are some ten.
const LONGEST: usize = 200;

/// What a walk to dependents may cost. It says where it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimits {
    /// Crates that are reached, and dependencies that are looked at. Default: 5,000. Among 200,000 crates they took 0.05 s (PostgreSQL) and
    /// 0.13 s (SQLite) without optimization, and a page answers within 0.2 s.
    pub crates: usize,
    /// Steps from the version. Default: 20; the longest chains of the public registry have about that many.
    pub depth: u32,
    /// Direct dependents that are named. Default: 50.
    pub named: usize,
}

impl Default for WalkLimits {
    fn default() -> WalkLimits {
        WalkLimits { crates: 5_000, depth: 20, named: 50 }
    }
}

/// A crate whose newest version depends on a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// The crate.
    pub krate: CrateRecord,
    /// Its newest version.
    pub version: String,
    /// What it requires, as the index writes it.
    pub requirement: String,
    /// `normal`, `build` or `dev`.
    pub kind: String,
}

/// Who depends on a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Direct dependents, by name, the first of them.
    pub direct: Vec<Dependent>,
    /// How many direct dependents there are whose requirement admits the version.
    pub direct_count: usize,
    /// Crates that depend on these, at any distance, and are no direct dependents. Not through what is only for development.
    pub transitive_count: usize,
    /// Crates that depend on other versions of the crate only.
    pub elsewhere_count: usize,
    /// Whether the walk ended at a limit: then there are more.
    pub is_cut: bool,
}

/// An index line, as far as dependencies go.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    deps: Vec<LineDependency>,
}

#[derive(Deserialize)]
struct LineDependency {
    name: String,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    req: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    registry: Option<String>,
}

/// The rows of a version.
fn rows(version: &versions::Model) -> Vec<dependencies::ActiveModel> {
    let Ok(line) = serde_json::from_str::<Line>(&version.index_line) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    for it in line.deps {
        let name = canonical_name(it.package.as_deref().unwrap_or(&it.name));
        let kind = match it.kind.as_deref() {
            Some("build") => "build",
            Some("dev") => "dev",
            _ => "normal",
        };
        let requirement = clean(&it.req);
        if name.len() <= LONGEST && requirement.len() <= LONGEST && seen.len() < KEPT {
            seen.insert((clean(&name), kind, requirement, it.registry.is_some()));
        }
    }
    let row =
        |(name, kind, requirement, is_elsewhere): (String, &str, String, bool)| dependencies::ActiveModel {
            crate_id: Set(version.crate_id),
            canonical: Set(name),
            kind: Set(kind.to_owned()),
            requirement: Set(requirement),
            elsewhere: Set(is_elsewhere),
            number: Set(version.number.clone()),
        };
    seen.into_iter().map(row).collect()
}

/// What makes a version the newest of its crate.
fn rank(version: &versions::Model) -> Option<(bool, bool, Version)> {
    let number: Version = version.number.parse().ok()?;
    Some((!version.yanked, number.pre.is_empty(), number))
}

/// Keeps what the newest version of a crate depends on, after `new` versions came.
pub(crate) async fn note<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
    new: &[versions::Model],
) -> Result<(), StoreError> {
    let krate = crate_by_id(connection, crate_id).await?;
    let mut candidates: Vec<versions::Model> = match krate.newest_id {
        Some(id) => {
            let found = versions::Entity::find_by_id(id).one(connection).await;
            found.during("read the newest version of crate", crate_id)?.into_iter().collect()
        }
        // Versions may have come before dependencies were kept.
        None => versions_of(connection, crate_id).await?,
    };
    candidates.extend_from_slice(new);
    let newest = candidates.into_iter().filter(|it| rank(it).is_some()).max_by_key(rank);
    // A number that no version has says that the crate was looked at.
    let newest_id = newest.as_ref().map_or(0, |it| it.id);
    if krate.newest_id == Some(newest_id) {
        return Ok(());
    }
    let old = dependencies::Entity::delete_many().filter(dependencies::Column::CrateId.eq(crate_id));
    old.exec(connection).await.during("forget the dependencies of crate", crate_id)?;
    let rows = newest.as_ref().map_or_else(Vec::new, rows);
    for some in rows.chunks(ROWS_AT_ONCE) {
        let insert = dependencies::Entity::insert_many(some.iter().cloned());
        let inserted = insert.exec_without_returning(connection).await;
        inserted.during("keep the dependencies of crate", crate_id)?;
    }
    let mut update: crates::ActiveModel = krate.into();
    update.newest_id = Set(Some(newest_id));
    update.update(connection).await.during("keep the dependencies of crate", crate_id)?;
    Ok(())
}

/// A crate that a walk reached: dependents of it are looked for.
struct Reached {
    registry: i64,
    canonical: String,
    /// Its newest version; of the first, the version that the walk is about.
    number: Option<Version>,
}

/// Whether a requirement admits a version. One that cannot be read may.
fn admits(requirement: &str, number: Option<&Version>) -> bool {
    match (requirement.parse::<VersionReq>(), number) {
        (Ok(requirement), Some(number)) => requirement.matches(number),
        _ => true,
    }
}

impl Store {
    /// Keeps the dependencies of `limit` crates that came before dependencies were kept. Gives how many it did; 0 when there are none left.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fill_dependencies(&self, limit: u64) -> Result<usize, StoreError> {
        let query = crates::Entity::find()
            .select_only()
            .column(crates::Column::Id)
            .filter(crates::Column::NewestId.is_null());
        let query = query.order_by_asc(crates::Column::Id).limit(limit);
        let ids: Vec<i64> = query.into_tuple().all(&self.read).await.during("look for", "crates")?;
        if ids.is_empty() {
            return Ok(0);
        }
        // Among the acts, so that no version comes in between.
        let transaction = self.change(0).await?;
        for id in &ids {
            note(&transaction.inner, *id, &[]).await?;
        }
        transaction.commit().await?;
        Ok(ids.len())
    }

    /// Who depends on a version of a crate: directly, and through others. Of each crate its newest version counts; see [`Dependents`].
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn dependents(
        &self,
        krate: &CrateRecord,
        version: &Version,
        limits: WalkLimits,
    ) -> Result<Dependents, StoreError> {
        let mut found = Dependents::default();
        let mut reached = BTreeSet::from([krate.id.0]);
        let mut frontier = vec![Reached {
            registry: krate.registry.0,
            canonical: canonical_name(&krate.name),
            number: Some(version.clone()),
        }];
        let mut room = limits.crates;
        for depth in 0..limits.depth {
            let (rows, is_cut) = self.rows_about(&frontier, room).await?;
            found.is_cut |= is_cut;
            room = room.saturating_sub(rows.len());
            let ids: BTreeSet<i64> = rows.iter().map(|it| it.crate_id).collect();
            let of = crates_by_id(&self.read, &ids).await?;
            let (hit, missed) = split(&frontier, rows, &of);
            let is_first = depth == 0;
            if is_first {
                let hit_ids: BTreeSet<i64> = hit.iter().map(|it| it.crate_id).collect();
                found.elsewhere_count = missed.iter().filter(|id| !hit_ids.contains(id)).count();
                found.direct = named(&hit, &of, limits.named);
            }
            frontier = Vec::new();
            for row in hit {
                // What is only for development is not built by those behind it.
                let is_dead_end = row.kind == "dev";
                if (is_dead_end && !is_first) || !reached.insert(row.crate_id) {
                    continue;
                }
                let count = if is_first { &mut found.direct_count } else { &mut found.transitive_count };
                *count += 1;
                if let (Some(krate), false) = (of.get(&row.crate_id), is_dead_end) {
                    frontier.push(Reached {
                        registry: krate.registry_id,
                        canonical: krate.canonical.clone(),
                        number: row.number.parse().ok(),
                    });
                }
            }
            if frontier.is_empty() {
                return Ok(found);
            }
            if room == 0 {
                found.is_cut = true;
                return Ok(found);
            }
        }
        found.is_cut = true;
        Ok(found)
    }

    /// Dependencies on some crates, at most `room`; and whether there are more.
    async fn rows_about(
        &self,
        frontier: &[Reached],
        room: usize,
    ) -> Result<(Vec<dependencies::Model>, bool), StoreError> {
        use dependencies::Column::{Canonical, CrateId as Of};
        let names: BTreeSet<&str> = frontier.iter().map(|it| it.canonical.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut rows = Vec::new();
        for some in names.chunks(ROWS_AT_ONCE) {
            let left = room.saturating_sub(rows.len()) + 1;
            let query = dependencies::Entity::find().filter(Canonical.is_in(some.iter().copied()));
            let query = query.order_by_asc(Canonical).order_by_asc(Of).limit(left as u64);
            rows.extend(query.all(&self.read).await.during("look for", "dependents")?);
            if rows.len() > room {
                rows.truncate(room);
                return Ok((rows, true));
            }
        }
        Ok((rows, false))
    }
}

/// Rows that reach a crate of the frontier, those not only for development first; and crates that depend on other versions.
fn split(
    frontier: &[Reached],
    rows: Vec<dependencies::Model>,
    of: &BTreeMap<i64, crates::Model>,
) -> (Vec<dependencies::Model>, BTreeSet<i64>) {
    let mut by_name: BTreeMap<&str, Vec<&Reached>> = BTreeMap::new();
    for it in frontier {
        by_name.entry(&it.canonical).or_default().push(it);
    }
    let mut missed = BTreeSet::new();
    let mut hit = Vec::new();
    for row in rows {
        let Some(krate) = of.get(&row.crate_id) else { continue };
        let targets = by_name.get(row.canonical.as_str()).map_or(&[][..], Vec::as_slice);
        // An index names the registry of a dependency only where it is another one.
        let mut there =
            targets.iter().filter(|it| (it.registry != krate.registry_id) == row.elsewhere).peekable();
        if there.peek().is_none() {
            continue;
        }
        if there.any(|it| admits(&row.requirement, it.number.as_ref())) {
            hit.push(row);
        } else {
            missed.insert(row.crate_id);
        }
    }
    hit.sort_by_key(|it| it.kind == "dev");
    (hit, missed)
}

fn named(hit: &[dependencies::Model], of: &BTreeMap<i64, crates::Model>, limit: usize) -> Vec<Dependent> {
    let mut seen = BTreeSet::new();
    let mut direct = Vec::new();
    for row in hit {
        let Some(krate) = of.get(&row.crate_id).filter(|it| seen.insert(it.id)) else { continue };
        direct.push(Dependent {
            krate: CrateRecord::from(krate.clone()),
            version: row.number.clone(),
            requirement: row.requirement.clone(),
            kind: row.kind.clone(),
        });
    }
    direct.sort_by(|a, b| (&a.krate.name, a.krate.id).cmp(&(&b.krate.name, b.krate.id)));
    direct.truncate(limit);
    direct
}

impl Store {
    /// Crates that the newest version of a crate depends on, by canonical name; for whoever wants to see that they are kept.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn dependencies_of(&self, krate: CrateId) -> Result<Vec<String>, StoreError> {
        let query = dependencies::Entity::find().filter(dependencies::Column::CrateId.eq(krate.0));
        let rows = query.order_by_asc(dependencies::Column::Canonical).all(&self.read).await;
        let rows = rows.during("read the dependencies of crate", krate)?;
        Ok(rows.into_iter().map(|it| it.canonical).collect())
    }
}
