//! Publishing to the hosted registry, and withdrawing what was published.
//!
//! One transaction writes crate, version, provenance, event, job, change and entry of the audit log, or
//! nothing. The bytes must be in the object store before: a crash in between leaves bytes that no version
//! names, never a version without bytes.

use cratekeeper_model::{Checksum, IndexedManifest, PublishMethod};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use semver::Version;
use serde_json::json;

use crate::entities::{crates, owners, provenance, versions};
use crate::error::During;
use crate::jobs::NewJob;
use crate::ownership::{By, EventKind, owner_rows, shown, shown_new};
use crate::registries::{Existed, crate_by_id, ensure_crate, registry_by_id};
use crate::standing::{Enforcement, State, restate};
use crate::transaction::retried;
use crate::versions::{find_version, identity, version_by_id};
use crate::words::{clean, clean_optional, fold, write_json};
use crate::{
    Act, CrateId, JobId, Provenance, RegistryId, RegistryKind, Store, StoreError, StoreErrorKind, TokenId,
    Transaction, UserId, VersionId,
};

/// Who publishes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Login.
    pub login: String,
    /// Account.
    pub user: UserId,
    /// Token that was used.
    pub token: Option<TokenId>,
    /// Its name.
    pub token_name: Option<String>,
    /// How they proved who they are.
    pub method: Option<PublishMethod>,
    /// What the client called itself.
    pub client: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
}

/// A version to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The hosted registry.
    pub registry: RegistryId,
    /// Name of the crate.
    pub name: String,
    /// Which version.
    pub version: Version,
    /// SHA-256 of its bytes, which are in the object store by now.
    pub checksum: Checksum,
    /// Length of its bytes.
    pub size: u64,
    /// Its line of the index.
    pub index_line: String,
    /// `package.description`.
    pub description: Option<String>,
    /// Whether the index shows it before it was inspected.
    pub listed_while_pending: bool,
    /// What the request claims about the manifest, where the archive says something else.
    pub claimed: Option<IndexedManifest>,
    /// Who publishes.
    pub by: Publisher,
    /// Its inspection. The payload gets a field `version_id`.
    pub job: NewJob,
    /// When.
    pub at: i64,
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It was written.
    New {
        /// The crate.
        krate: CrateId,
        /// The version.
        version: VersionId,
        /// Its inspection.
        job: JobId,
        /// Whether it is the first version of its crate.
        is_first: bool,
    },
    /// The same publisher published the same bytes before: this is a repetition, and nothing was written.
    Already {
        /// The crate.
        krate: CrateId,
        /// The version.
        version: VersionId,
    },
}

impl Store {
    /// Publishes a version: makes its crate where there is none, with the publisher as its owner. It is
    /// pending until it was inspected.
    ///
    /// # Errors
    ///
    /// `NameTaken`, `VersionTaken` or `NotOwner`; `Refused` when the registry is not hosted here; else when
    /// the database refuses.
    pub async fn publish(&self, publication: &Publication) -> Result<Published, StoreError> {
        retried!(self.try_publish(publication).await)
    }

    async fn try_publish(&self, new: &Publication) -> Result<Published, StoreError> {
        let object = shown_new(&new.name, &new.version);
        let act = Act::new(&new.by.login, "version.publish", &object, new.at);
        let mut transaction = self.act(act).await?;
        require_hosted(&transaction, new.registry, &object).await?;
        // Asked here, where nothing can come between: an upload takes minutes.
        transaction.refuse_frozen(&new.by.login).await?;
        let (krate, existed) = ensure_crate(&transaction, new.registry, &new.name).await?;
        if let Some(row) = find_version(&transaction.inner, krate.id, &new.version).await? {
            let krate = CrateId(krate.id);
            let published = already(&transaction, new, krate, row, &object).await;
            transaction.roll_back().await?;
            return published;
        }
        let owners = claim_or_check_owner(&mut transaction, new, &krate, existed, &object).await?;
        let row = insert_version(&transaction, new, krate.id).await?;
        insert_provenance(&transaction, new, row.id, &owners).await?;
        let by = By { login: Some(&new.by.login), token: new.by.token };
        transaction.event(krate.id, Some(row.id), EventKind::Publish, by, None).await?;
        let (id, crate_id) = (row.id, krate.id);
        crate::dependents::note(&transaction.inner, crate_id, std::slice::from_ref(&row)).await?;
        restate(&mut transaction, new.registry.0, vec![row]).await?;
        transaction.changed(crate_id);
        let job = transaction.enqueue(&new.job.about(VersionId(id))).await?;
        transaction.set_detail(json!({
            "checksum": new.checksum, "size": new.size, "token": new.by.token, "address": new.by.address,
        }));
        transaction.commit().await?;
        let is_first = existed == Existed::No;
        Ok(Published::New { krate: CrateId(crate_id), version: VersionId(id), job, is_first })
    }
}

async fn require_hosted(
    transaction: &Transaction,
    registry: RegistryId,
    object: &str,
) -> Result<(), StoreError> {
    let row = registry_by_id(&transaction.inner, registry).await?;
    if row.kind == RegistryKind::Hosted.as_str() {
        return Ok(());
    }
    let reason = format!("the registry `{}` is not hosted here", row.name);
    Err(StoreError::new("publish", object, StoreErrorKind::Refused(reason)))
}

/// Is it a repetition, or another attempt at the same version?
async fn already(
    transaction: &Transaction,
    new: &Publication,
    krate: CrateId,
    row: versions::Model,
    object: &str,
) -> Result<Published, StoreError> {
    let how =
        provenance::Entity::find_by_id(row.id).one(&transaction.inner).await.during("publish", object)?;
    let is_theirs = how.is_some_and(|it| it.publisher_folded.as_deref() == Some(&fold(&new.by.login)));
    let stands = row.taken_down_reason.is_none();
    if is_theirs
        && stands
        && row.checksum == new.checksum.to_string()
        && row.number == new.version.to_string()
    {
        return Ok(Published::Already { krate, version: VersionId(row.id) });
    }
    Err(StoreError::new("publish", object, StoreErrorKind::VersionTaken { checksum: row.checksum }))
}

/// The owners at this moment: of a new crate whoever publishes it, else those there are, among whom the
/// publisher must be.
async fn claim_or_check_owner(
    transaction: &mut Transaction,
    new: &Publication,
    krate: &crates::Model,
    existed: Existed,
    object: &str,
) -> Result<Vec<String>, StoreError> {
    let login = &new.by.login;
    if existed == Existed::No {
        let row = owners::ActiveModel {
            crate_id: Set(krate.id),
            folded: Set(fold(login)),
            login: Set(clean(login)),
            added_at: Set(new.at),
            added_by: Set(None),
        };
        owners::Entity::insert(row)
            .exec_without_returning(&transaction.inner)
            .await
            .during("publish", object)?;
        return Ok(vec![login.clone()]);
    }
    let rows = owner_rows(&transaction.inner, krate.id).await?;
    if rows.iter().all(|it| it.folded != fold(login)) {
        return Err(StoreError::new("publish", object, StoreErrorKind::NotOwner { login: login.clone() }));
    }
    Ok(rows.into_iter().map(|it| it.login).collect())
}

async fn insert_version(
    transaction: &Transaction,
    new: &Publication,
    crate_id: i64,
) -> Result<versions::Model, StoreError> {
    let seen = FirstSight {
        version: &new.version,
        checksum: new.checksum,
        size: Some(new.size),
        index_line: &new.index_line,
        published_at: Some(new.at),
        yanked: false,
        listed_while_pending: new.listed_while_pending,
        description: new.description.as_deref(),
    };
    seen.insert(transaction, crate_id).await
}

async fn insert_provenance(
    transaction: &Transaction,
    new: &Publication,
    version_id: i64,
    owners: &[String],
) -> Result<(), StoreError> {
    let row = provenance::ActiveModel {
        version_id: Set(version_id),
        publisher: Set(Some(clean(&new.by.login))),
        publisher_folded: Set(Some(fold(&new.by.login))),
        user_id: Set(Some(new.by.user.0)),
        token_id: Set(new.by.token.map(|it| it.0)),
        token_name: Set(clean_optional(new.by.token_name.as_deref())),
        method: Set(Provenance::word(new.by.method)),
        client: Set(clean_optional(new.by.client.as_deref())),
        address: Set(clean_optional(new.by.address.as_deref())),
        owners: Set(Some(write_json(&owners, "owners")?)),
        published_at: Set(Some(new.at)),
        claimed_json: Set(new.claimed.as_ref().map(|it| write_json(it, "claimed")).transpose()?),
        ..Default::default()
    };
    let insert = provenance::Entity::insert(row).exec_without_returning(&transaction.inner).await;
    insert.during("write the provenance of version", version_id)?;
    Ok(())
}

/// A version when it is seen for the first time, published here or elsewhere.
pub(crate) struct FirstSight<'a> {
    pub(crate) version: &'a Version,
    pub(crate) checksum: Checksum,
    pub(crate) size: Option<u64>,
    pub(crate) index_line: &'a str,
    pub(crate) published_at: Option<i64>,
    pub(crate) yanked: bool,
    pub(crate) listed_while_pending: bool,
    pub(crate) description: Option<&'a str>,
}

impl FirstSight<'_> {
    pub(crate) async fn insert(
        &self,
        transaction: &Transaction,
        crate_id: i64,
    ) -> Result<versions::Model, StoreError> {
        const REASON: &str = "it was not inspected yet";
        let row = versions::ActiveModel {
            crate_id: Set(crate_id),
            number: Set(self.version.to_string()),
            identity: Set(identity(self.version)),
            checksum: Set(self.checksum.to_string()),
            size: Set(self.size.and_then(|it| i64::try_from(it).ok())),
            index_line: Set(clean(self.index_line)),
            first_seen: Set(transaction.at),
            description: Set(clean_optional(self.description)),
            published_at: Set(self.published_at),
            yanked: Set(self.yanked),
            state: Set(State::Pending.as_str().to_owned()),
            enforcement: Set(Enforcement::Hide.as_str().to_owned()),
            listed_while_pending: Set(self.listed_while_pending),
            reason: Set(REASON.to_owned()),
            standing: Set(State::Pending.as_str().to_owned()),
            standing_reason: Set(REASON.to_owned()),
            listed: Set(self.listed_while_pending),
            rank: Set(-1),
            ..Default::default()
        };
        row.insert(&transaction.inner).await.during("add the version", self.version)
    }
}

impl Transaction {
    /// Withdraws a version of the hosted registry, or puts it back. Gives whether anything changed.
    ///
    /// # Errors
    ///
    /// When there is no such version, its registry is not hosted here, or the database refuses.
    pub async fn set_yanked(
        &mut self,
        version: VersionId,
        yanked: bool,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let row = version_by_id(&self.inner, version.0).await?;
        let krate = crate_by_id(&self.inner, row.crate_id).await?;
        let object = shown(&krate, &row);
        let registry = registry_by_id(&self.inner, RegistryId(krate.registry_id)).await?;
        if registry.kind != RegistryKind::Hosted.as_str() {
            let reason =
                format!("the registry `{}` is not hosted here; an overlay can be set", registry.name);
            return Err(StoreError::new("yank", object, StoreErrorKind::Refused(reason)));
        }
        if row.yanked == yanked {
            return Ok(false);
        }
        let mut update: versions::ActiveModel = row.into();
        update.yanked = Set(yanked);
        update.update(&self.inner).await.during("yank", object)?;
        let kind = if yanked { EventKind::Yank } else { EventKind::Unyank };
        self.event(krate.id, Some(version.0), kind, by, None).await?;
        self.changed(krate.id);
        Ok(true)
    }
}
