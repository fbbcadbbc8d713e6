//! Who may publish a crate, who is invited to, and what happened to it: events.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder, Set,
};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::entities::{crates, events, invitations, owners, versions};
use crate::error::During;
use crate::registries::{crate_by_id, crates_by_id};
use crate::words::{clean, fold, read_word, words};
use crate::{
    CrateId, CrateRecord, InvitationId, RegistryId, Store, StoreError, StoreErrorKind, TokenId, Transaction,
    VersionId,
};

words! {
    /// What happened to a crate.
    pub enum EventKind {
        /// A version was published.
        Publish = "publish",
        /// A version was withdrawn.
        Yank = "yank",
        /// A withdrawn version was put back.
        Unyank = "unyank",
        /// Somebody was invited to own it.
        OwnerInvited = "owner-invited",
        /// Somebody owns it from now on.
        OwnerAdded = "owner-added",
        /// Somebody does not own it any more.
        OwnerRemoved = "owner-removed",
    }
}

words! {
    /// What became of an invitation.
    pub enum InvitationState {
        /// It waits for an answer.
        Open = "open",
        /// It was accepted.
        Accepted = "accepted",
        /// It was declined.
        Declined = "declined",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
}

/// Something that happened to a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateEvent {
    /// Its number; later ones are higher.
    pub id: i64,
    /// The crate.
    pub crate_id: CrateId,
    /// The version, for what happens to versions.
    pub version: Option<VersionId>,
    /// What.
    pub kind: EventKind,
    /// By whom; `None` when it is not known.
    pub actor: Option<String>,
    /// With which token; `None` when there was none, or it is not known.
    pub token: Option<TokenId>,
    /// Whom it is about, for what happens to owners.
    pub subject: Option<String>,
    /// When.
    pub at: i64,
}

impl TryFrom<events::Model> for CrateEvent {
    type Error = StoreError;

    fn try_from(row: events::Model) -> Result<CrateEvent, StoreError> {
        Ok(CrateEvent {
            id: row.id,
            crate_id: CrateId(row.crate_id),
            version: row.version_id.map(VersionId),
            kind: read_word(&row.kind, "kind", row.id)?,
            actor: row.actor,
            token: row.token_id.map(TokenId),
            subject: row.subject,
            at: row.at,
        })
    }
}

/// An owner of a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Login.
    pub login: String,
    /// Since when.
    pub added_at: i64,
    /// By whom; `None` for whoever published the first version.
    pub added_by: Option<String>,
}

/// An invitation to own a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its number.
    pub id: InvitationId,
    /// The crate.
    pub krate: CrateRecord,
    /// Who is invited.
    pub login: String,
    /// By whom.
    pub invited_by: String,
    /// When.
    pub at: i64,
    /// From when on it cannot be accepted.
    pub expires_at: i64,
    /// What became of it.
    pub state: InvitationState,
}

/// Who does something to a crate, and with which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct By<'a> {
    /// Login; `None` when it is not known.
    pub login: Option<&'a str>,
    /// Token; `None` when there is none, or it is not known.
    pub token: Option<TokenId>,
}

impl Transaction {
    /// Writes down what happened to a crate.
    pub(crate) async fn event(
        &mut self,
        crate_id: i64,
        version_id: Option<i64>,
        kind: EventKind,
        by: By<'_>,
        subject: Option<&str>,
    ) -> Result<(), StoreError> {
        let row = events::ActiveModel {
            crate_id: Set(crate_id),
            version_id: Set(version_id),
            kind: Set(kind.as_str().to_owned()),
            actor: Set(by.login.map(clean)),
            actor_folded: Set(by.login.map(fold)),
            token_id: Set(by.token.map(|it| it.0)),
            subject: Set(subject.map(clean)),
            at: Set(self.at),
            ..Default::default()
        };
        row.insert(&self.inner).await.during("write down what happened to crate", crate_id)?;
        Ok(())
    }

    /// Makes somebody an owner at once, without an invitation. Nothing happens if they are one.
    ///
    /// # Errors
    ///
    /// When there is no such crate, or the database refuses.
    pub async fn add_owner(&mut self, krate: CrateId, login: &str, by: By<'_>) -> Result<(), StoreError> {
        crate_by_id(&self.inner, krate.0).await?;
        if is_owner(&self.inner, krate.0, login).await? {
            return Ok(());
        }
        let row = owners::ActiveModel {
            crate_id: Set(krate.0),
            folded: Set(fold(login)),
            login: Set(clean(login)),
            added_at: Set(self.at),
            added_by: Set(by.login.map(clean)),
        };
        owners::Entity::insert(row)
            .exec_without_returning(&self.inner)
            .await
            .during("add the owner", login)?;
        self.event(krate.0, None, EventKind::OwnerAdded, by, Some(login)).await
    }

    /// Removes an owner. The last one stays: a crate that nobody owns is taken over by whoever asks for it.
    ///
    /// # Errors
    ///
    /// When they are no owner, or the last one, or the database refuses.
    pub async fn remove_owner(&mut self, krate: CrateId, login: &str, by: By<'_>) -> Result<(), StoreError> {
        let all = owner_rows(&self.inner, krate.0).await?;
        let number = all.len();
        let row = all.into_iter().find(|it| it.folded == fold(login)).during("remove the owner", login)?;
        if number == 1 {
            let reason = "a crate has at least one owner".to_owned();
            return Err(StoreError::new("remove the owner", login, StoreErrorKind::Refused(reason)));
        }
        row.delete(&self.inner).await.during("remove the owner", login)?;
        self.event(krate.0, None, EventKind::OwnerRemoved, by, Some(login)).await
    }

    /// Invites somebody to own a crate. An open invitation of the same person is replaced.
    ///
    /// # Errors
    ///
    /// When they own it, there is no such crate, or the database refuses.
    pub async fn invite_owner(
        &mut self,
        krate: CrateId,
        login: &str,
        expires_at: i64,
        by: By<'_>,
    ) -> Result<InvitationId, StoreError> {
        crate_by_id(&self.inner, krate.0).await?;
        if is_owner(&self.inner, krate.0, login).await? {
            return Err(StoreError::new("invite", login, StoreErrorKind::AlreadyExists));
        }
        for row in open_invitations(&self.inner, krate.0, Some(login)).await? {
            close(self, row, InvitationState::Withdrawn).await?;
        }
        let row = invitations::ActiveModel {
            crate_id: Set(krate.0),
            folded: Set(fold(login)),
            login: Set(clean(login)),
            invited_by: Set(clean(by.login.unwrap_or_default())),
            at: Set(self.at),
            expires_at: Set(expires_at),
            state: Set(InvitationState::Open.as_str().to_owned()),
            ..Default::default()
        };
        let row = row.insert(&self.inner).await.during("invite", login)?;
        self.event(krate.0, None, EventKind::OwnerInvited, by, Some(login)).await?;
        Ok(InvitationId(row.id))
    }

    /// Answers an invitation as the person who was invited; accepting it makes them an owner.
    ///
    /// # Errors
    ///
    /// `NotFound` when it is not theirs, was answered, or is too old; else when the database refuses.
    pub async fn answer_invitation(
        &mut self,
        invitation: InvitationId,
        by: By<'_>,
        accept: bool,
    ) -> Result<CrateId, StoreError> {
        let row = invitations::Entity::find_by_id(invitation.0).one(&self.inner).await;
        let row = row.during("look for the invitation", invitation)?;
        let login = by.login.unwrap_or_default();
        let is_open = |row: &invitations::Model| {
            row.folded == fold(login)
                && row.state == InvitationState::Open.as_str()
                && row.expires_at > self.at
        };
        let row = row.filter(is_open).during("answer the invitation", invitation)?;
        let krate = CrateId(row.crate_id);
        let inviter = row.invited_by.clone();
        close(self, row, if accept { InvitationState::Accepted } else { InvitationState::Declined }).await?;
        if accept {
            self.add_owner(krate, login, By { login: Some(&inviter), token: by.token }).await?;
        }
        Ok(krate)
    }

    /// Takes back the open invitations of somebody to own a crate.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn withdraw_invitations(&mut self, krate: CrateId, login: &str) -> Result<(), StoreError> {
        for row in open_invitations(&self.inner, krate.0, Some(login)).await? {
            close(self, row, InvitationState::Withdrawn).await?;
        }
        Ok(())
    }
}

async fn close(
    transaction: &Transaction,
    row: invitations::Model,
    state: InvitationState,
) -> Result<(), StoreError> {
    let id = row.id;
    let mut update: invitations::ActiveModel = row.into();
    update.state = Set(state.as_str().to_owned());
    update.answered_at = Set(Some(transaction.at));
    update.update(&transaction.inner).await.during("close the invitation", id)?;
    Ok(())
}

impl Store {
    /// Who may publish a crate, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn owners(&self, krate: CrateId) -> Result<Vec<Owner>, StoreError> {
        let rows = owner_rows(&self.read, krate.0).await?;
        let owner =
            |row: owners::Model| Owner { login: row.login, added_at: row.added_at, added_by: row.added_by };
        Ok(rows.into_iter().map(owner).collect())
    }

    /// All crates of a registry with the logins of their owners, by number.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crates_with_owners(
        &self,
        registry: RegistryId,
    ) -> Result<Vec<(CrateRecord, Vec<String>)>, StoreError> {
        let mut logins: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let query = owners::Entity::find().order_by_asc(owners::Column::AddedAt);
        for row in query.all(&self.read).await.during("read", "owners")? {
            logins.entry(row.crate_id).or_default().push(row.login);
        }
        let query = crates::Entity::find().filter(crates::Column::RegistryId.eq(registry.0));
        let rows = query.order_by_asc(crates::Column::Id).all(&self.read).await.during("read", "crates")?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, CrateRecord::from(row)))
            .map(|(id, krate)| (krate, logins.remove(&id).unwrap_or_default()))
            .collect())
    }

    /// Whether somebody may publish a crate.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn is_owner(&self, krate: CrateId, login: &str) -> Result<bool, StoreError> {
        is_owner(&self.read, krate.0, login).await
    }

    /// The open invitations of somebody.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn invitations_of(&self, login: &str, at: i64) -> Result<Vec<Invitation>, StoreError> {
        let query = invitations::Entity::find()
            .filter(invitations::Column::Folded.eq(fold(login)))
            .filter(invitations::Column::State.eq(InvitationState::Open.as_str()))
            .filter(invitations::Column::ExpiresAt.gt(at));
        let rows = query.order_by_asc(invitations::Column::Id).all(&self.read).await;
        self.with_their_crates(rows.during("list invitations of", login)?).await
    }

    /// The open invitations to own a crate.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn invitations_to(&self, krate: CrateId, at: i64) -> Result<Vec<Invitation>, StoreError> {
        let rows = open_invitations(&self.read, krate.0, None).await?;
        self.with_their_crates(rows.into_iter().filter(|it| it.expires_at > at).collect()).await
    }

    async fn with_their_crates(&self, rows: Vec<invitations::Model>) -> Result<Vec<Invitation>, StoreError> {
        let crates = crates_by_id(&self.read, &rows.iter().map(|it| it.crate_id).collect()).await?;
        let invitation = |row: invitations::Model| {
            let krate: crates::Model =
                crates.get(&row.crate_id).cloned().during("find the crate", row.crate_id)?;
            Ok(Invitation {
                id: InvitationId(row.id),
                krate: krate.into(),
                state: read_word(&row.state, "state", row.id)?,
                login: row.login,
                invited_by: row.invited_by,
                at: row.at,
                expires_at: row.expires_at,
            })
        };
        rows.into_iter().map(invitation).collect()
    }

    /// What happened to a crate, oldest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn events_of(&self, krate: CrateId) -> Result<Vec<CrateEvent>, StoreError> {
        let rows = event_rows(&self.read, krate.0).await?;
        rows.into_iter().map(CrateEvent::try_from).collect()
    }
}

pub(crate) async fn event_rows<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
) -> Result<Vec<events::Model>, StoreError> {
    let query = events::Entity::find().filter(events::Column::CrateId.eq(crate_id));
    let query = query.order_by_asc(events::Column::At).order_by_asc(events::Column::Id);
    query.all(connection).await.during("read the events of crate", crate_id)
}

pub(crate) async fn owner_rows<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
) -> Result<Vec<owners::Model>, StoreError> {
    let query = owners::Entity::find().filter(owners::Column::CrateId.eq(crate_id));
    let query = query.order_by_asc(owners::Column::AddedAt).order_by_asc(owners::Column::Folded);
    query.all(connection).await.during("list the owners of crate", crate_id)
}

pub(crate) async fn is_owner<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
    login: &str,
) -> Result<bool, StoreError> {
    let found = owners::Entity::find_by_id((crate_id, fold(login))).one(connection).await;
    Ok(found.during("look for the owner", login)?.is_some())
}

async fn open_invitations<C: ConnectionTrait>(
    connection: &C,
    crate_id: i64,
    login: Option<&str>,
) -> Result<Vec<invitations::Model>, StoreError> {
    let mut query = invitations::Entity::find()
        .filter(invitations::Column::CrateId.eq(crate_id))
        .filter(invitations::Column::State.eq(InvitationState::Open.as_str()));
    if let Some(login) = login {
        query = query.filter(invitations::Column::Folded.eq(fold(login)));
    }
    let query = query.order_by_asc(invitations::Column::Id);
    query.all(connection).await.during("list the invitations of crate", crate_id)
}

/// The version that a row is about, for messages.
pub(crate) fn shown(krate: &crates::Model, row: &versions::Model) -> String {
    format!("{}@{}", krate.name, row.number)
}

/// The version that is about to be one, for messages.
pub(crate) fn shown_new(name: &str, version: &Version) -> String {
    format!("{name}@{version}")
}
