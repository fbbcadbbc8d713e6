//! What the store remembers of a crate, as the rules read it.
//!
//! In the hosted registry everything is known. Of an upstream the store knows what its index shows and what
//! changed while it was looked at: who did it stays unknown, and so does what happened before. Names that can
//! be taken for others are not known here: `names` is asked by whoever judges.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::{
    DependencyHistory, History, Known, PublishMethod, PublishedVersion, PublisherHistory, RegistryAction,
    RegistryEvent,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, events, fetches, provenance, users, versions};
use crate::error::During;
use crate::ownership::{EventKind, event_rows, owner_rows, shown};
use crate::registries::{crate_by_id, crate_by_name, registry_by_id};
use crate::versions::{version_by_id, versions_of};
use crate::words::{canonical_name, fold, read_optional, read_word};
use crate::{RegistryId, RegistryKind, Store, StoreError, VersionId};

/// Most crates that are looked at as dependencies of one version. A new version rarely has more than a
/// handful of new ones; a hostile one has any number.
const LOOKUPS: usize = 40;

/// How far dependencies of dependencies are followed.
const DEPTH: usize = 3;

/// Most crates that are listed of one publisher, oldest first: who has more is no newcomer.
const CRATES_OF_PUBLISHER: u64 = 1_000;

const NO_PUBLISHER: &str = "an upstream does not say who published a version";
const NO_METHOD: &str = "it is not known how the version was published";
const NO_TIME: &str = "it is not known when the version was published";
const NO_OWNERS: &str = "an upstream does not say who owns a crate";
const NO_EVENTS: &str = "an upstream does not say what happened, and nothing changed while it was looked at";
const NO_DOWNLOADS: &str = "an upstream's downloads are not counted";
const NO_EARLIER_OWNER: &str = "it is not known whether the name was used before";
const NOT_HERE: &str = "the crate is not in the store";
const NO_SCORE: &str = "no version of it that fits was inspected";

fn unknown<T>(reason: &str) -> Known<T> {
    Known::Unknown(reason.to_owned())
}

fn known<T>(value: Option<T>, reason: &str) -> Known<T> {
    value.map_or_else(|| unknown(reason), Known::Known)
}

/// What an index line says about dependencies.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    deps: Vec<LineDependency>,
}

#[derive(Deserialize)]
struct LineDependency {
    name: String,
    #[serde(default)]
    req: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    registry: Option<String>,
}

/// A dependency to be used or built, of the same registry.
#[derive(Clone)]
struct Dependency {
    name: String,
    requirement: Option<VersionReq>,
    /// Whether another registry has it.
    is_foreign: bool,
}

/// The dependencies of an index line, development left out. `None` when the line cannot be read.
fn dependencies_of(line: &str) -> Option<Vec<Dependency>> {
    let line: Line = serde_json::from_str(line).ok()?;
    let used = line.deps.into_iter().filter(|it| it.kind.as_deref() != Some("dev"));
    let dependency = |it: LineDependency| Dependency {
        requirement: VersionReq::parse(&it.req).ok(),
        is_foreign: it.registry.is_some(),
        name: it.package.unwrap_or(it.name),
    };
    Some(used.map(dependency).collect())
}

fn names_of(line: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = dependencies_of(line)?.into_iter().map(|it| it.name).collect();
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// A crate with what is known of it at a moment.
struct Past {
    row: crates::Model,
    versions: Vec<(Version, versions::Model)>,
    provenance: BTreeMap<i64, provenance::Model>,
}

impl Past {
    /// When the first version was published, if that is known of all.
    fn first_published(&self) -> Option<i64> {
        let times: Option<Vec<i64>> = self.versions.iter().map(|(_, row)| row.published_at).collect();
        times?.into_iter().min()
    }

    /// The highest version that fits and is not withdrawn.
    fn newest(&self, wanted: Option<&VersionReq>) -> Option<&versions::Model> {
        let open = self.versions.iter().filter(|(_, row)| !row.yanked);
        let fitting = open.filter(|(version, _)| wanted.is_none_or(|wanted| wanted.matches(version)));
        fitting.max_by_key(|(version, _)| (version.pre.is_empty(), version.clone())).map(|(_, row)| row)
    }

    /// The version before one: the highest lower one, which is what its users have. A release is not compared
    /// with a pre-release.
    fn previous(&self, version: &Version) -> Option<&versions::Model> {
        let lower = self
            .versions
            .iter()
            .filter(|(it, _)| it < version && (it.pre.is_empty() || !version.pre.is_empty()));
        lower.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, row)| row)
    }

    fn publishers(&self) -> BTreeSet<String> {
        self.provenance.values().filter_map(|it| it.publisher.clone()).collect()
    }
}

/// Reads the store for one history: of one registry, as of one moment.
struct Historian<'a> {
    store: &'a Store,
    registry: RegistryId,
    kind: RegistryKind,
    at: i64,
}

impl Store {
    /// What is remembered of a version's crate at the moment `at`: versions, publishers, yanks, owners,
    /// dependencies. Nothing later is in it, apart from whether versions are withdrawn and who owns the
    /// crate, which are as they are now.
    ///
    /// # Errors
    ///
    /// When there is no such version, or the database refuses.
    pub async fn history(&self, version: VersionId, at: i64) -> Result<History, StoreError> {
        let own = version_by_id(&self.read, version.0).await?;
        let krate = crate_by_id(&self.read, own.crate_id).await?;
        let registry = registry_by_id(&self.read, RegistryId(krate.registry_id)).await?;
        let historian = Historian {
            store: self,
            registry: RegistryId(registry.id),
            kind: read_word(&registry.kind, "kind", &registry.name)?,
            // Whoever published it may have a clock that is ahead of ours; without the version itself, no rule about its past could be asked.
            at: Ord::max(at, own.published_at.unwrap_or(own.first_seen)),
        };
        historian.history(krate, &own).await
    }
}

impl Historian<'_> {
    fn is_hosted(&self) -> bool {
        self.kind == RegistryKind::Hosted
    }

    async fn history(&self, krate: crates::Model, own: &versions::Model) -> Result<History, StoreError> {
        let object = shown(&krate, own);
        let number: Version = read_word(&own.number, "number", &object)?;
        let past = self.past(krate).await?;
        let published: Result<Vec<PublishedVersion>, StoreError> =
            past.versions.iter().map(|(version, row)| self.published(version, row, &past)).collect();
        let publisher = past.provenance.get(&own.id).and_then(|it| it.publisher.clone());
        Ok(History {
            at: self.at,
            versions: published?,
            events: self.events(&past).await?,
            owners: known(self.owners(&past).await?, NO_OWNERS),
            downloads: self.downloads(&past).await?,
            // Crates are never deleted here, so a hosted name had no earlier owner.
            earlier_owner: if self.is_hosted() { Known::Known(None) } else { unknown(NO_EARLIER_OWNER) },
            dependencies: self.dependencies(&past, own, &number).await?,
            publisher: match publisher {
                Some(login) => Known::Known(self.publisher(&login, past.row.id).await?),
                None => unknown(NO_PUBLISHER),
            },
        })
    }

    /// A crate's versions up to the moment, in order of publication.
    async fn past(&self, row: crates::Model) -> Result<Past, StoreError> {
        let rows = versions_of(&self.store.read, row.id).await?;
        let moment = |row: &versions::Model| row.published_at.unwrap_or(row.first_seen);
        let mut versions = Vec::new();
        for row in rows.into_iter().filter(|row| moment(row) <= self.at) {
            versions.push((read_word::<Version>(&row.number, "number", row.id)?, row));
        }
        versions.sort_by(|(a, one), (b, other)| moment(one).cmp(&moment(other)).then_with(|| a.cmp(b)));
        let ids: Vec<i64> = versions.iter().map(|(_, row)| row.id).collect();
        let mut provenance = BTreeMap::new();
        for some in ids.chunks(ROWS_AT_ONCE) {
            let query =
                provenance::Entity::find().filter(provenance::Column::VersionId.is_in(some.iter().copied()));
            let rows = query.all(&self.store.read).await.during("read", "provenance")?;
            provenance.extend(rows.into_iter().map(|row| (row.version_id, row)));
        }
        Ok(Past { row, versions, provenance })
    }

    fn published(
        &self,
        version: &Version,
        row: &versions::Model,
        past: &Past,
    ) -> Result<PublishedVersion, StoreError> {
        let how = past.provenance.get(&row.id);
        let method = how.and_then(|it| it.method.as_deref());
        let method: Option<PublishMethod> = read_optional(method, "method", row.id)?;
        Ok(PublishedVersion {
            version: version.clone(),
            published: known(row.published_at, NO_TIME),
            publisher: known(how.and_then(|it| it.publisher.clone()), NO_PUBLISHER),
            method: known(method, NO_METHOD),
            yanked: row.yanked,
            dependencies: known(names_of(&row.index_line), "its line of the index cannot be read"),
        })
    }

    async fn events(&self, past: &Past) -> Result<Known<Vec<RegistryEvent>>, StoreError> {
        let numbers: BTreeMap<i64, &Version> =
            past.versions.iter().map(|(version, row)| (row.id, version)).collect();
        let mut found = Vec::new();
        for row in event_rows(&self.store.read, past.row.id).await? {
            if row.at > self.at {
                continue;
            }
            if let Some(action) = action(&row, &numbers)? {
                let by = known(row.actor, "an upstream does not say who withdrew a version");
                found.push(RegistryEvent { at: row.at, by, action });
            }
        }
        if found.is_empty() && !self.is_hosted() {
            return Ok(unknown(NO_EVENTS));
        }
        Ok(Known::Known(found))
    }

    async fn owners(&self, past: &Past) -> Result<Option<Vec<String>>, StoreError> {
        if !self.is_hosted() {
            return Ok(None);
        }
        let rows = owner_rows(&self.store.read, past.row.id).await?;
        Ok(Some(rows.into_iter().map(|row| row.login).collect()))
    }

    async fn downloads(&self, past: &Past) -> Result<Known<u64>, StoreError> {
        if !self.is_hosted() {
            return Ok(unknown(NO_DOWNLOADS));
        }
        let query = fetches::Entity::find()
            .select_only()
            .expr(Expr::col((fetches::Entity, fetches::Column::Id)).count())
            .filter(fetches::Column::VersionId.is_in(past.versions.iter().map(|(_, row)| row.id)))
            .filter(fetches::Column::At.lte(self.at));
        let count: Option<i64> = query.into_tuple().one(&self.store.read).await.during("count", "fetches")?;
        Ok(Known::Known(count.unwrap_or(0).unsigned_abs()))
    }

    /// Dependencies, and through those that the previous version did not have, theirs.
    async fn dependencies(
        &self,
        past: &Past,
        own: &versions::Model,
        version: &Version,
    ) -> Result<Vec<DependencyHistory>, StoreError> {
        let previous = past.previous(version).map(|row| names_of(&row.index_line).unwrap_or_default());
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([canonical_name(&past.row.name)]);
        let direct = dependencies_of(&own.index_line).unwrap_or_default();
        let mut next: Vec<(Dependency, Vec<String>)> =
            direct.into_iter().rev().map(|it| (it, Vec::new())).collect();
        let mut looked_up = 0;
        while let Some((dependency, through)) = next.pop() {
            if !seen.insert(canonical_name(&dependency.name)) {
                continue;
            }
            let in_previous = previous.as_ref().map(|it| through.is_empty() && it.contains(&dependency.name));
            // What was there before is none of this version's doing.
            let past = if in_previous == Some(true) {
                Err("the previous version had it too")
            } else if dependency.is_foreign {
                Err("another registry has it")
            } else if looked_up == LOOKUPS {
                Err("the version has more dependencies than are looked at")
            } else {
                looked_up += 1;
                self.past_of(&dependency.name).await?.ok_or(NOT_HERE)
            };
            let built = past.as_ref().ok().and_then(|it| it.newest(dependency.requirement.as_ref()));
            if through.len() < DEPTH {
                let mut further = through.clone();
                further.push(dependency.name.clone());
                let theirs = built.and_then(|row| dependencies_of(&row.index_line)).unwrap_or_default();
                next.extend(theirs.into_iter().map(|it| (it, further.clone())));
            }
            found.push(self.dependency(dependency, through, in_previous, &past, built).await?);
        }
        Ok(found)
    }

    async fn past_of(&self, name: &str) -> Result<Option<Past>, StoreError> {
        match crate_by_name(&self.store.read, self.registry, name).await? {
            Some(row) => Ok(Some(self.past(row).await?).filter(|it| !it.versions.is_empty())),
            None => Ok(None),
        }
    }

    async fn dependency(
        &self,
        dependency: Dependency,
        through: Vec<String>,
        in_previous: Option<bool>,
        past: &Result<Past, &'static str>,
        built: Option<&versions::Model>,
    ) -> Result<DependencyHistory, StoreError> {
        let name = dependency.name;
        let past = match past {
            Ok(past) => past,
            Err(reason) => {
                return Ok(DependencyHistory {
                    name,
                    through,
                    first_published: unknown(reason),
                    version_published: unknown(reason),
                    owners: unknown(reason),
                    downloads: unknown(reason),
                    in_previous,
                    score: unknown(reason),
                });
            }
        };
        let owners = self.owners(past).await?.map(|owners| {
            let all: BTreeSet<String> = owners.into_iter().chain(past.publishers()).collect();
            all.into_iter().collect::<Vec<String>>()
        });
        Ok(DependencyHistory {
            name,
            through,
            first_published: known(past.first_published(), NO_TIME),
            version_published: known(built.and_then(|row| row.published_at), NO_TIME),
            owners: known(owners, NO_OWNERS),
            downloads: self.downloads(past).await?,
            in_previous,
            score: known(built.and_then(|row| row.score).and_then(|it| u8::try_from(it).ok()), NO_SCORE),
        })
    }

    /// What a publisher did before, in this registry.
    async fn publisher(&self, login: &str, besides: i64) -> Result<PublisherHistory, StoreError> {
        let folded = fold(login);
        // Who has the same login at an upstream has no account here.
        let account = match self.kind {
            RegistryKind::Hosted => {
                let query = users::Entity::find().filter(users::Column::Folded.eq(folded.clone()));
                query.one(&self.store.read).await.during("look for the user", login)?
            }
            RegistryKind::Upstream => None,
        };
        let first_published = Expr::col((provenance::Entity, provenance::Column::PublishedAt)).min();
        let of_version = provenance::Entity::belongs_to(versions::Entity)
            .from(provenance::Column::VersionId)
            .to(versions::Column::Id)
            .into();
        let of_crate = versions::Entity::belongs_to(crates::Entity)
            .from(versions::Column::CrateId)
            .to(crates::Column::Id)
            .into();
        let query = provenance::Entity::find()
            .select_only()
            .column(crates::Column::Id)
            .column(crates::Column::Name)
            .column(crates::Column::FirstSeen)
            .expr_as(first_published.clone(), "first")
            .join(JoinType::InnerJoin, of_version)
            .join(JoinType::InnerJoin, of_crate)
            .filter(provenance::Column::PublisherFolded.eq(folded.clone()))
            .filter(provenance::Column::PublishedAt.lte(self.at))
            .filter(crates::Column::RegistryId.eq(self.registry.0))
            .group_by(crates::Column::Id)
            .group_by(crates::Column::Name)
            .group_by(crates::Column::FirstSeen)
            .order_by_asc(first_published)
            .order_by_asc(crates::Column::Id)
            .limit(CRATES_OF_PUBLISHER);
        let rows: Vec<(i64, String, i64, Option<i64>)> =
            query.into_tuple().all(&self.store.read).await.during("list the crates of", login)?;
        let first_here = rows.iter().filter_map(|it| it.3).min();
        let created = account.map(|it| it.created_at);
        Ok(PublisherHistory {
            login: login.to_owned(),
            first_seen: created.into_iter().chain(first_here).min(),
            crates: rows.into_iter().filter(|it| it.0 != besides).map(|it| (it.1, it.2)).collect(),
            near_names: Vec::new(),
            look_alikes: Vec::new(),
        })
    }
}

/// What an event is to the rules; `None` for those that they do not look at, and for versions that are later.
fn action(
    row: &events::Model,
    numbers: &BTreeMap<i64, &Version>,
) -> Result<Option<RegistryAction>, StoreError> {
    let version = row.version_id.and_then(|id| numbers.get(&id)).map(|it| (*it).clone());
    let subject = row.subject.clone();
    Ok(match read_word::<EventKind>(&row.kind, "kind", row.id)? {
        EventKind::Yank => version.map(RegistryAction::Yank),
        EventKind::Unyank => version.map(RegistryAction::Unyank),
        EventKind::OwnerAdded => subject.map(RegistryAction::OwnerAdded),
        EventKind::OwnerRemoved => subject.map(RegistryAction::OwnerRemoved),
        EventKind::Publish | EventKind::OwnerInvited => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_have_the_name_of_their_package_and_are_not_for_development() {
        let line = r#"{"deps":[
            {"name":"renamed","package":"real","req":"^1","kind":"normal"},
            {"name":"tool","req":"^2","kind":"build"},
            {"name":"tests","req":"*","kind":"dev"},
            {"name":"old","req":"=1.0"}]}"#;
        assert_eq!(names_of(line).unwrap(), ["old", "real", "tool"]);
        assert!(names_of("not json").is_none());
    }
}
