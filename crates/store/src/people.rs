//! Users and their roles.
//!
//! Everybody with an account may publish and own crates; roles are about the gate itself. A password's hash
//! comes here as text in the PHC form; hashing and comparing is for the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{Hidden, second_factors, sessions, users};
use crate::error::During;
use crate::words::{clean, clean_optional, fold, read_word, words};
use crate::{Store, StoreError, StoreErrorKind, Transaction, UserId};

/// Most characters of a login. Others' logins are at most 39; twice that leaves room for service accounts.
pub const LOGIN_CHARACTERS: usize = 80;

words! {
    /// What a user may do besides publishing.
    pub enum Role {
        /// Sees cases, queues and who published what.
        Viewer = "viewer",
        /// Holds, releases and blocks.
        Triager = "triager",
        /// Does everything, and gives roles.
        Admin = "admin",
        /// Reads the audit log and fetch records.
        Auditor = "auditor",
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their number.
    pub id: UserId,
    /// Their login, unique whatever its case.
    pub login: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Their address; it counts once it is confirmed.
    pub email: Option<String>,
    /// When they showed that they read mail to [`User::email`].
    pub email_confirmed_at: Option<i64>,
    /// The address that they want instead, until they have confirmed it.
    pub email_wanted: Option<String>,
    /// What they may do besides publishing, sorted.
    pub roles: Vec<Role>,
    /// Since when the account exists.
    pub created_at: i64,
    /// Who made it; `None` for the first one.
    pub created_by: Option<String>,
    /// Since when it may do nothing.
    pub disabled_at: Option<i64>,
    /// Since when they have the newest of their roles; `None` for whoever never was given one.
    pub roles_since: Option<i64>,
    /// Whether the account was made while the gate was set up.
    pub is_founder: bool,
    /// Who was last given the means to act as this account: a link to join, or a token of it that may administer.
    pub keys_given_to: Option<String>,
}

/// For how long after an account was made its roles count as given while the gate was set up, in seconds: an hour, as long as that lasts.
const FOUNDED_WITHIN: i64 = 60 * 60;

impl User {
    /// Whether account and roles are of the time when the gate was set up and there was nobody else.
    #[must_use]
    pub fn is_settled_founder(&self) -> bool {
        let founded = self.created_at.saturating_add(FOUNDED_WITHIN);
        self.is_founder && self.roles_since.is_none_or(|it| it <= founded)
    }

    /// The address at which they can be told something: one that they confirmed.
    #[must_use]
    pub fn confirmed_address(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_confirmed_at.is_some())
    }

    /// Whether they have this role, and may do anything at all.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.disabled_at.is_none() && self.roles.contains(&role)
    }
}

/// An account, with what the console shows of it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub user: User,
    /// Whether a second factor is asked for.
    pub has_factor: bool,
    /// When its newest session was begun.
    pub last_sign_in: Option<i64>,
}

/// Which accounts. Every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct PeopleFilter {
    /// Whose login begins so.
    pub login: Option<String>,
    /// That have this role.
    pub role: Option<Role>,
    /// Only those that were locked out.
    pub disabled_only: bool,
}

/// A user to be.
#[derive(Clone, Default)]
pub struct NewUser {
    /// Their login.
    pub login: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Hash of their password in PHC form; without one they cannot sign in by password.
    pub password_hash: Option<String>,
    /// What they may do besides publishing.
    pub roles: Vec<Role>,
    /// Whether the account is made while the gate is set up.
    pub is_founder: bool,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("login", &self.login)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl TryFrom<users::Model> for User {
    type Error = StoreError;

    fn try_from(row: users::Model) -> Result<User, StoreError> {
        let roles: Result<Vec<Role>, StoreError> =
            row.roles.split_whitespace().map(|word| read_word(word, "roles", &row.login)).collect();
        Ok(User {
            id: UserId(row.id),
            roles: roles?,
            login: row.login,
            name: row.name,
            email: row.email,
            email_confirmed_at: row.email_confirmed_at,
            email_wanted: row.email_wanted,
            created_at: row.created_at,
            created_by: row.created_by,
            disabled_at: row.disabled_at,
            roles_since: row.roles_since,
            is_founder: row.is_founder,
            keys_given_to: row.keys_given_to,
        })
    }
}

fn as_words(roles: &[Role]) -> String {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ")
}

/// A login is shown in logs and tables, and is compared with others: no spaces, no control characters, and no
/// parentheses, in which parts of the program sign.
fn check_login(login: &str) -> Result<(), StoreError> {
    // What cannot be seen, or turns the direction of text, would make two logins look alike: letters, digits and visible ASCII are left.
    let is_odd = |it: char| !(it.is_alphanumeric() || it.is_ascii_graphic()) || "()`/@".contains(it);
    if login.is_empty() || login.chars().count() > LOGIN_CHARACTERS || login.contains(is_odd) {
        let reason =
            format!("a login has 1 to {LOGIN_CHARACTERS} characters, and no spaces, `(`, `)`, `/` or `@`");
        let shown: String = login.chars().take(LOGIN_CHARACTERS).collect();
        return Err(StoreError::new("add the user", shown, StoreErrorKind::Invalid(reason)));
    }
    Ok(())
}

impl Transaction {
    /// Makes a user.
    ///
    /// # Errors
    ///
    /// When the login is taken or cannot be one, or the database refuses.
    pub async fn create_user(&mut self, user: &NewUser) -> Result<User, StoreError> {
        check_login(&user.login)?;
        let row = users::ActiveModel {
            login: Set(user.login.clone()),
            folded: Set(fold(&user.login)),
            name: Set(clean_optional(user.name.as_deref())),
            email: Set(clean_optional(user.email.as_deref())),
            password_hash: Set(user.password_hash.as_deref().map(|it| Hidden(clean(it)))),
            roles: Set(as_words(&user.roles)),
            created_at: Set(self.at),
            created_by: Set(self.actor().map(clean)),
            roles_since: Set((!user.roles.is_empty()).then_some(self.at)),
            is_founder: Set(user.is_founder),
            ..Default::default()
        };
        row.insert(&self.inner).await.during("add the user", &user.login)?.try_into()
    }

    /// Replaces a user's roles. The last admin who is not disabled stays one.
    ///
    /// # Errors
    ///
    /// When there is no such user, nobody would be admin any more, or the database refuses.
    pub async fn set_roles(&mut self, user: UserId, roles: &[Role]) -> Result<User, StoreError> {
        let before = User::try_from(user_row(&self.inner, user).await?)?;
        let mut update: users::ActiveModel = user_row(&self.inner, user).await?.into();
        update.roles = Set(as_words(roles));
        if roles.iter().any(|it| !before.roles.contains(it)) {
            update.roles_since = Set(Some(self.at));
        }
        let row = update.update(&self.inner).await.during("change the roles of user", user)?;
        self.require_admin(user).await?;
        row.try_into()
    }

    /// Notes who was given the means to act as a user. For a day the account agrees to nothing then, as after a new role.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database refuses.
    pub async fn note_keys(&mut self, user: UserId, given_to: &str) -> Result<(), StoreError> {
        let row = user_row(&self.inner, user).await?;
        let has_roles = !row.roles.is_empty();
        let mut update: users::ActiveModel = row.into();
        update.keys_given_to = Set(Some(clean(given_to)));
        if has_roles {
            update.roles_since = Set(Some(self.at));
        }
        update.update(&self.inner).await.during("note who has the keys of user", user)?;
        Ok(())
    }

    /// Replaces the hash of a user's password; `None` ends signing in by password.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database refuses.
    pub async fn set_password_hash(&mut self, user: UserId, hash: Option<&str>) -> Result<(), StoreError> {
        let mut update: users::ActiveModel = user_row(&self.inner, user).await?.into();
        update.password_hash = Set(hash.map(|it| Hidden(clean(it))));
        update.update(&self.inner).await.during("change the password of user", user)?;
        Ok(())
    }

    /// Disables an account, or enables it again. Its tokens stop with it.
    ///
    /// # Errors
    ///
    /// When there is no such user, nobody would be admin any more, or the database refuses.
    pub async fn set_disabled(&mut self, user: UserId, disabled: bool) -> Result<User, StoreError> {
        let mut update: users::ActiveModel = user_row(&self.inner, user).await?.into();
        update.disabled_at = Set(disabled.then_some(self.at));
        let row = update.update(&self.inner).await.during("disable the user", user)?;
        self.require_admin(user).await?;
        row.try_into()
    }

    /// Notes which address somebody wants to be told at; `None` takes the one away that they have. It counts once it is confirmed.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database refuses.
    pub async fn want_address(&mut self, user: UserId, address: Option<&str>) -> Result<User, StoreError> {
        let mut update: users::ActiveModel = user_row(&self.inner, user).await?.into();
        update.email_wanted = Set(clean_optional(address));
        if address.is_none() {
            (update.email, update.email_confirmed_at) = (Set(None), Set(None));
        }
        update.update(&self.inner).await.during("change the address of user", user)?.try_into()
    }

    /// Has the address count that somebody wants, after they followed a link that was mailed to it.
    ///
    /// # Errors
    ///
    /// `NotFound` when they do not want this one any more; else when the database refuses.
    pub async fn confirm_address(&mut self, user: UserId, address: &str) -> Result<User, StoreError> {
        let row = user_row(&self.inner, user).await?;
        let wanted = row.email_wanted.clone().filter(|it| it == address);
        let wanted = wanted.during("confirm the address of user", user)?;
        let mut update: users::ActiveModel = row.into();
        update.email = Set(Some(wanted));
        update.email_wanted = Set(None);
        update.email_confirmed_at = Set(Some(self.at));
        update.update(&self.inner).await.during("confirm the address of user", user)?.try_into()
    }

    /// Refuses what left nobody who can give roles.
    async fn require_admin(&self, changed: UserId) -> Result<(), StoreError> {
        let query = users::Entity::find().filter(users::Column::DisabledAt.is_null());
        let rows = query.filter(users::Column::Roles.contains(Role::Admin.as_str())).count(&self.inner).await;
        if rows.during("count", "admins")? > 0 {
            return Ok(());
        }
        let reason = "nobody would be admin any more".to_owned();
        Err(StoreError::new("change the user", changed, StoreErrorKind::Refused(reason)))
    }
}

impl Store {
    /// The user with this login, whatever its case.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn user(&self, login: &str) -> Result<Option<User>, StoreError> {
        user_by_login(&self.read, login).await?.map(User::try_from).transpose()
    }

    /// The user with this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn user_by_id(&self, id: UserId) -> Result<User, StoreError> {
        user_row(&self.read, id).await?.try_into()
    }

    /// The hash of a user's password, in PHC form. `None` when they have none, or there is no such user, or
    /// the account is disabled.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn password_hash(&self, login: &str) -> Result<Option<String>, StoreError> {
        let user = user_by_login(&self.read, login).await?.filter(|it| it.disabled_at.is_none());
        Ok(user.and_then(|it| it.password_hash).map(|it| it.0))
    }

    /// Users by login, behind the login `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn users(&self, after: Option<&str>, limit: u64) -> Result<Vec<User>, StoreError> {
        let mut query = users::Entity::find().order_by_asc(users::Column::Folded);
        if let Some(after) = after {
            query = query.filter(users::Column::Folded.gt(fold(after)));
        }
        let rows = query.limit(limit).all(&self.read).await.during("list", "users")?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// Accounts by login, behind the login `after`, with what the console shows of each.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn people(
        &self,
        filter: &PeopleFilter,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Person>, StoreError> {
        let mut query = users::Entity::find().order_by_asc(users::Column::Folded);
        if let Some(after) = after {
            query = query.filter(users::Column::Folded.gt(fold(after)));
        }
        if let Some(start) = &filter.login {
            let start = fold(start);
            // What begins so lies between it and it followed by the last character there is; both databases compare bytes.
            query = query.filter(users::Column::Folded.gte(start.clone()));
            query = query.filter(users::Column::Folded.lt(format!("{start}\u{10FFFF}")));
        }
        if let Some(role) = filter.role {
            query = query.filter(users::Column::Roles.contains(role.as_str()));
        }
        if filter.disabled_only {
            query = query.filter(users::Column::DisabledAt.is_not_null());
        }
        let rows =
            query.limit(limit.clamp(1, ROWS_AT_ONCE as u64)).all(&self.read).await.during("list", "users")?;
        let ids: Vec<i64> = rows.iter().map(|it| it.id).collect();
        let with_factor = self.with_second_factor(&ids).await?;
        let signed_in = self.last_sign_ins(&ids).await?;
        let person = |row: users::Model| {
            let (has_factor, last_sign_in) = (with_factor.contains(&row.id), signed_in.get(&row.id).copied());
            Ok(Person { has_factor, last_sign_in, user: row.try_into()? })
        };
        rows.into_iter().map(person).collect()
    }

    async fn with_second_factor(&self, users: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
        let query = second_factors::Entity::find()
            .select_only()
            .column(second_factors::Column::UserId)
            .filter(second_factors::Column::UserId.is_in(users.iter().copied()))
            .filter(second_factors::Column::ConfirmedAt.is_not_null());
        let rows: Vec<i64> = query.into_tuple().all(&self.read).await.during("read", "second factors")?;
        Ok(rows.into_iter().collect())
    }

    async fn last_sign_ins(&self, users: &[i64]) -> Result<BTreeMap<i64, i64>, StoreError> {
        use sessions::Column::{CreatedAt, UserId as Of};
        let query = sessions::Entity::find()
            .select_only()
            .column(Of)
            .expr_as(Expr::col(CreatedAt).max(), "newest")
            .filter(Of.is_in(users.iter().copied()))
            .group_by(Of);
        let rows: Vec<(i64, Option<i64>)> =
            query.into_tuple().all(&self.read).await.during("read", "sessions")?;
        Ok(rows.into_iter().filter_map(|(user, at)| Some((user, at?))).collect())
    }

    /// How many accounts that have a role and may sign in have a second factor, and how many there are.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn second_factors_of_people(&self) -> Result<(u64, u64), StoreError> {
        let with_role = || {
            let query = users::Entity::find().filter(users::Column::Roles.ne(""));
            query.filter(users::Column::DisabledAt.is_null())
        };
        let all = with_role().count(&self.read).await.during("count", "users")?;
        let confirmed = Query::select()
            .column(second_factors::Column::UserId)
            .from(second_factors::Entity)
            .and_where(second_factors::Column::ConfirmedAt.is_not_null())
            .to_owned();
        let query = with_role().filter(users::Column::Id.in_subquery(confirmed));
        Ok((query.count(&self.read).await.during("count", "users")?, all))
    }

    /// The first account that was made.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn first_user(&self) -> Result<Option<User>, StoreError> {
        let query = users::Entity::find().order_by_asc(users::Column::Id);
        query.one(&self.read).await.during("look for", "users")?.map(User::try_from).transpose()
    }

    /// Whether there is any user: when there is none, whoever has the set-up link makes the first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(users::Entity::find().limit(1).one(&self.read).await.during("count", "users")?.is_some())
    }
}

pub(crate) async fn user_by_login<C: ConnectionTrait>(
    connection: &C,
    login: &str,
) -> Result<Option<users::Model>, StoreError> {
    let query = users::Entity::find().filter(users::Column::Folded.eq(fold(login)));
    query.one(connection).await.during("look for the user", login)
}

pub(crate) async fn user_row<C: ConnectionTrait>(
    connection: &C,
    id: UserId,
) -> Result<users::Model, StoreError> {
    let found = users::Entity::find_by_id(id.0).one(connection).await.during("look for the user", id)?;
    found.during("find the user", id)
}
