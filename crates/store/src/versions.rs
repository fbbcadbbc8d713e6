//! Versions as they are read: what an index shows, who published them, the queue of those that somebody
//! should look at.

use std::collections::BTreeSet;

use cratekeeper_model::{Checksum, IndexedManifest, Level, PublishMethod, Verdict};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, provenance, versions};
use crate::error::During;
use crate::registries::{crate_by_name, crates_by_id};
use crate::standing::{Enforcement, Standing, State};
use crate::words::{method_word, read_json, read_optional, read_word, words};
use crate::{
    CrateId, CrateRecord, DecisionId, RegistryId, Store, StoreError, TokenId, Transaction, UserId, VersionId,
};

words! {
    /// What we say about a version being withdrawn, in the place of what its registry says.
    pub enum YankOverlay {
        /// It is shown as withdrawn.
        Yanked = "yanked",
        /// It is shown as available.
        Available = "available",
    }
}

/// A version of a crate of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Its number.
    pub id: VersionId,
    /// Its crate.
    pub crate_id: CrateId,
    /// Which version.
    pub version: Version,
    /// SHA-256 of its bytes, as first published or seen.
    pub checksum: Checksum,
    /// Length of its bytes; `None` when they were not fetched yet.
    pub size: Option<u64>,
    /// Its line of the index, as first published or seen; whether it is yanked has to be written over it.
    pub index_line: String,
    /// When it was first seen here.
    pub first_seen: i64,
    /// When it was published, where that is known.
    pub published_at: Option<i64>,
    /// Whether its registry says that it is withdrawn.
    pub yanked: bool,
    /// What we say about that instead.
    pub overlay: Option<YankOverlay>,
    /// Why we do.
    pub overlay_reason: Option<String>,
    /// What inspection said.
    pub automatic: State,
    /// How that is enforced.
    pub enforcement: Enforcement,
    /// Id of the policy's clause that decided.
    pub clause: Option<String>,
    /// Level of its score.
    pub level: Option<Level>,
    /// Its score.
    pub score: Option<u8>,
    /// What policy made of it.
    pub verdict: Option<Verdict>,
    /// When it was inspected last.
    pub inspected_at: Option<i64>,
    /// `package.description`; `None` where it has none, and of versions of upstreams.
    pub description: Option<String>,
    /// Why it was taken down: its bytes are in the vault, and nobody gets them.
    pub taken_down: Option<String>,
    /// What holds.
    pub standing: Standing,
}

impl VersionRecord {
    /// Whether inspection lets it through, whatever people decided.
    #[must_use]
    pub fn automatic_is_open(&self) -> bool {
        self.automatic == State::Released
    }

    /// Whether it was taken down.
    #[must_use]
    pub fn is_taken_down(&self) -> bool {
        self.taken_down.is_some()
    }

    /// Whether the index shows it as withdrawn.
    #[must_use]
    pub fn is_yanked(&self) -> bool {
        self.overlay.map_or(self.yanked, |it| it == YankOverlay::Yanked)
    }
}

impl TryFrom<versions::Model> for VersionRecord {
    type Error = StoreError;

    fn try_from(row: versions::Model) -> Result<VersionRecord, StoreError> {
        let id = row.id;
        Ok(VersionRecord {
            id: VersionId(id),
            crate_id: CrateId(row.crate_id),
            version: read_word(&row.number, "number", id)?,
            checksum: read_word(&row.checksum, "checksum", id)?,
            size: row.size.and_then(|it| u64::try_from(it).ok()),
            index_line: row.index_line,
            first_seen: row.first_seen,
            published_at: row.published_at,
            yanked: row.yanked,
            overlay: read_optional(row.overlay.as_deref(), "overlay", id)?,
            overlay_reason: row.overlay_reason,
            automatic: read_word(&row.state, "state", id)?,
            enforcement: read_word(&row.enforcement, "enforcement", id)?,
            clause: row.clause,
            level: read_optional(row.level.as_deref(), "level", id)?,
            score: row.score.and_then(|it| u8::try_from(it).ok()),
            verdict: read_optional(row.verdict.as_deref(), "verdict", id)?,
            inspected_at: row.inspected_at,
            description: row.description,
            taken_down: row.taken_down_reason,
            standing: Standing {
                state: read_word(&row.standing, "standing", id)?,
                listed: row.listed,
                reason: row.standing_reason,
                decision: row.decision_id.map(DecisionId),
            },
        })
    }
}

/// How a version was published. What is `None` is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Login of who did.
    pub publisher: Option<String>,
    /// Their account here.
    pub user: Option<UserId>,
    /// The token that was used.
    pub token: Option<TokenId>,
    /// Its name at that time.
    pub token_name: Option<String>,
    /// How they proved who they are.
    pub method: Option<PublishMethod>,
    /// What the client called itself.
    pub client: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// Owners of the crate at that time.
    pub owners: Option<Vec<String>>,
    /// The first verdict on it.
    pub verdict: Option<Verdict>,
    /// The first score of it.
    pub score: Option<u8>,
    /// When.
    pub published_at: Option<i64>,
    /// What the request claimed about the manifest, where its archive says something else.
    pub claimed: Option<IndexedManifest>,
}

impl TryFrom<provenance::Model> for Provenance {
    type Error = StoreError;

    fn try_from(row: provenance::Model) -> Result<Provenance, StoreError> {
        let id = row.version_id;
        Ok(Provenance {
            publisher: row.publisher,
            user: row.user_id.map(UserId),
            token: row.token_id.map(TokenId),
            token_name: row.token_name,
            method: read_optional(row.method.as_deref(), "method", id)?,
            client: row.client,
            address: row.address,
            owners: row.owners.map(|text| read_json(&text, "owners", id)).transpose()?,
            verdict: read_optional(row.verdict.as_deref(), "verdict", id)?,
            score: row.score.and_then(|it| u8::try_from(it).ok()),
            published_at: row.published_at,
            claimed: row.claimed_json.map(|text| read_json(&text, "claimed", id)).transpose()?,
        })
    }
}

impl Provenance {
    pub(crate) fn word(method: Option<PublishMethod>) -> Option<String> {
        method.map(|it| method_word(it).to_owned())
    }
}

/// Which versions a page of the queue shows. Every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// In which of these states; all when empty.
    pub states: Vec<State>,
    /// Of this registry.
    pub registry: Option<RegistryId>,
    /// With at least this score.
    pub at_least: Option<u8>,
}

/// In which order a page of the queue comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueOrder {
    /// Highest score first, and of the same score the oldest first; those without a score last.
    #[default]
    WorstFirst,
    /// Oldest first.
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

/// Where a page of the queue ends; the next one begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueCursor {
    /// Score of the last version, -1 for none.
    pub rank: i32,
    /// When it was first seen.
    pub first_seen: i64,
    /// Its number.
    pub id: VersionId,
}

impl QueueCursor {
    /// Behind all versions that were first seen before `moment`, in the order [`QueueOrder::OldestFirst`].
    #[must_use]
    pub fn before(moment: i64) -> QueueCursor {
        QueueCursor { rank: -1, first_seen: moment.saturating_sub(1), id: VersionId(i64::MAX) }
    }
}

/// A version in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// The crate.
    pub krate: CrateRecord,
    /// The version.
    pub version: VersionRecord,
    /// Where the next page begins if this is the last on its page.
    pub cursor: QueueCursor,
}

fn behind(order: QueueOrder, cursor: QueueCursor) -> Condition {
    use versions::Column::{FirstSeen, Id, Rank};
    let same_moment = FirstSeen.eq(cursor.first_seen);
    match order {
        QueueOrder::WorstFirst => Condition::any().add(Rank.lt(cursor.rank)).add(
            Condition::all().add(Rank.eq(cursor.rank)).add(
                Condition::any()
                    .add(FirstSeen.gt(cursor.first_seen))
                    .add(same_moment.and(Id.gt(cursor.id.0))),
            ),
        ),
        QueueOrder::OldestFirst => {
            Condition::any().add(FirstSeen.gt(cursor.first_seen)).add(same_moment.and(Id.gt(cursor.id.0)))
        }
        QueueOrder::NewestFirst => {
            Condition::any().add(FirstSeen.lt(cursor.first_seen)).add(same_moment.and(Id.lt(cursor.id.0)))
        }
    }
}

impl Transaction {
    /// A version as it will be when this is committed.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn version(&self, id: VersionId) -> Result<VersionRecord, StoreError> {
        version_by_id(&self.inner, id.0).await?.try_into()
    }
}

impl Store {
    /// All versions of a crate, as they came: what its index is made of. `None` when there is no such crate.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crate_versions(
        &self,
        registry: RegistryId,
        name: &str,
    ) -> Result<Option<(CrateRecord, Vec<VersionRecord>)>, StoreError> {
        let Some(krate) = crate_by_name(&self.read, registry, name).await? else { return Ok(None) };
        let rows = versions_of(&self.read, krate.id).await?;
        let versions: Result<Vec<VersionRecord>, StoreError> =
            rows.into_iter().map(TryFrom::try_from).collect();
        Ok(Some((krate.into(), versions?)))
    }

    /// One version of a crate, whatever its build metadata.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn version(
        &self,
        registry: RegistryId,
        name: &str,
        version: &Version,
    ) -> Result<Option<(CrateRecord, VersionRecord)>, StoreError> {
        let Some(krate) = crate_by_name(&self.read, registry, name).await? else { return Ok(None) };
        let row = find_version(&self.read, krate.id, version).await?;
        row.map(|row| Ok((krate.into(), row.try_into()?))).transpose()
    }

    /// The version of this number, with its crate.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn version_by_id(&self, id: VersionId) -> Result<(CrateRecord, VersionRecord), StoreError> {
        let row = version_by_id(&self.read, id.0).await?;
        let krate = crate::registries::crate_by_id(&self.read, row.crate_id).await?;
        Ok((krate.into(), row.try_into()?))
    }

    /// The versions with these numbers, with their crates; those that there are.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn versions_by_id(
        &self,
        ids: &[VersionId],
    ) -> Result<Vec<(CrateRecord, VersionRecord)>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(ROWS_AT_ONCE) {
            let query =
                versions::Entity::find().filter(versions::Column::Id.is_in(some.iter().map(|it| it.0)));
            let rows = query
                .order_by_asc(versions::Column::Id)
                .all(&self.read)
                .await
                .during("look for", "versions")?;
            found.extend(self.with_crates(rows).await?);
        }
        Ok(found)
    }

    /// Versions that have these bytes.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn versions_with_checksum(
        &self,
        checksum: Checksum,
    ) -> Result<Vec<(CrateRecord, VersionRecord)>, StoreError> {
        let query = versions::Entity::find().filter(versions::Column::Checksum.eq(checksum.to_string()));
        let rows =
            query.order_by_asc(versions::Column::Id).all(&self.read).await.during("look for", checksum)?;
        self.with_crates(rows).await
    }

    /// How a version was published.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn provenance(&self, version: VersionId) -> Result<Provenance, StoreError> {
        let row = provenance::Entity::find_by_id(version.0).one(&self.read).await;
        row.during("read the provenance of version", version)?
            .map_or_else(|| Ok(Provenance::default()), TryFrom::try_from)
    }

    /// A page of versions for people to look at, behind the version at `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn queue(
        &self,
        filter: &QueueFilter,
        order: QueueOrder,
        after: Option<QueueCursor>,
        limit: u64,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        use versions::Column::{CrateId, FirstSeen, Id, Rank, Standing};
        let mut query = versions::Entity::find();
        if !filter.states.is_empty() {
            query = query.filter(Standing.is_in(filter.states.iter().map(|it| it.as_str())));
        }
        if let Some(score) = filter.at_least {
            query = query.filter(Rank.gte(i32::from(score)));
        }
        if let Some(registry) = filter.registry {
            let of_registry = Query::select()
                .column(crates::Column::Id)
                .from(crates::Entity)
                .and_where(crates::Column::RegistryId.eq(registry.0))
                .to_owned();
            query = query.filter(CrateId.in_subquery(of_registry));
        }
        if let Some(after) = after {
            query = query.filter(behind(order, after));
        }
        query = match order {
            QueueOrder::WorstFirst => query.order_by_desc(Rank).order_by_asc(FirstSeen).order_by_asc(Id),
            QueueOrder::OldestFirst => query.order_by_asc(FirstSeen).order_by_asc(Id),
            QueueOrder::NewestFirst => query.order_by_desc(FirstSeen).order_by_desc(Id),
        };
        let rows = query.limit(limit).all(&self.read).await.during("read", "queue")?;
        let cursors: Vec<QueueCursor> = rows
            .iter()
            .map(|row| QueueCursor { rank: row.rank, first_seen: row.first_seen, id: VersionId(row.id) })
            .collect();
        let entries = self.with_crates(rows).await?.into_iter().zip(cursors);
        Ok(entries.map(|((krate, version), cursor)| QueueEntry { krate, version, cursor }).collect())
    }

    /// How many versions are in each state, states without any left out.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn counts_by_state(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let query = versions::Entity::find()
            .select_only()
            .column(versions::Column::Standing)
            .column_as(versions::Column::Id.count(), "count")
            .group_by(versions::Column::Standing);
        let rows: Vec<(String, i64)> =
            query.into_tuple().all(&self.read).await.during("count", "versions")?;
        let mut counts = rows
            .into_iter()
            .map(|(word, count)| Ok((read_word(&word, "standing", "versions")?, count.unsigned_abs())))
            .collect::<Result<Vec<(State, u64)>, StoreError>>()?;
        counts.sort_unstable();
        Ok(counts)
    }

    pub(crate) async fn with_crates(
        &self,
        rows: Vec<versions::Model>,
    ) -> Result<Vec<(CrateRecord, VersionRecord)>, StoreError> {
        let ids: BTreeSet<i64> = rows.iter().map(|it| it.crate_id).collect();
        let crates = crates_by_id(&self.read, &ids).await?;
        let with_crate = |row: versions::Model| {
            let krate = crates.get(&row.crate_id).cloned().during("find the crate", row.crate_id)?;
            Ok((krate.into(), row.try_into()?))
        };
        rows.into_iter().map(with_crate).collect()
    }
}

/// A version without its build metadata: two that differ in that alone are the same to cargo.
pub(crate) fn identity(version: &Version) -> String {
    Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }.to_string()
}

pub(crate) async fn versions_of<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
) -> Result<Vec<versions::Model>, StoreError> {
    let query = versions::Entity::find().filter(versions::Column::CrateId.eq(crate_id));
    query
        .order_by_asc(versions::Column::Id)
        .all(connection)
        .await
        .during("read the versions of crate", crate_id)
}

pub(crate) async fn find_version<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
    version: &Version,
) -> Result<Option<versions::Model>, StoreError> {
    let query = versions::Entity::find()
        .filter(versions::Column::CrateId.eq(crate_id))
        .filter(versions::Column::Identity.eq(identity(version)));
    query.one(connection).await.during("look for the version", version)
}

pub(crate) async fn version_by_id<C: ConnectionTrait>(
    connection: &C,
    id: i64,
) -> Result<versions::Model, StoreError> {
    let found = versions::Entity::find_by_id(id).one(connection).await.during("look for the version", id)?;
    found.during("find the version", id)
}
