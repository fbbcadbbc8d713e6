//! Registries, users and versions that tests begin with.

use cratekeeper_model::{Case, Checksum, Level, PolicyAnswer, PublishMethod, Verdict};
use cratekeeper_store::{
    Act, Enforcement, Inspection, NewJob, NewToken, NewUser, Publication, Published, Publisher, Registry,
    RegistryKind, Role, Scope, State, Store, Token, User, VersionId,
};
use semver::Version;
use serde_json::json;

/// The moment at which tests begin.
pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) async fn hosted(store: &Store) -> Registry {
    registry(store, "hosted", RegistryKind::Hosted).await
}

pub(crate) async fn upstream(store: &Store) -> Registry {
    registry(store, "upstream", RegistryKind::Upstream).await
}

async fn registry(store: &Store, name: &str, kind: RegistryKind) -> Registry {
    let mut transaction = store.act(Act::new("(test)", "registry.add", name, NOW)).await.unwrap();
    let registry = transaction.ensure_registry(name, kind, None).await.unwrap();
    transaction.commit().await.unwrap();
    registry
}

/// A user with a token for everything.
pub(crate) async fn user(store: &Store, login: &str, roles: &[Role]) -> (User, Token, String) {
    let mut transaction = store.act(Act::new("(test)", "user.create", login, NOW)).await.unwrap();
    let new = NewUser { login: login.to_owned(), roles: roles.to_vec(), ..NewUser::default() };
    let user = transaction.create_user(&new).await.unwrap();
    let new = NewToken {
        user: user.id,
        name: "laptop".to_owned(),
        method: PublishMethod::Token,
        scopes: Scope::ALL.to_vec(),
        patterns: Vec::new(),
        expires_at: None,
    };
    let (token, text) = transaction.create_token(&new).await.unwrap();
    transaction.commit().await.unwrap();
    (user, token, text.expose().to_owned())
}

pub(crate) fn line(name: &str, version: &str, dependencies: &[&str]) -> String {
    let dependencies: Vec<_> = dependencies
        .iter()
        .map(|it| json!({"name": it, "req": "^1", "features": [], "optional": false, "default_features": true, "kind": "normal"}))
        .collect();
    json!({"name": name, "vers": version, "deps": dependencies, "cksum": "", "features": {}, "yanked": false})
        .to_string()
}

pub(crate) fn publication(
    registry: &Registry,
    by: &(User, Token, String),
    name: &str,
    version: &str,
    at: i64,
) -> Publication {
    Publication {
        registry: registry.id,
        name: name.to_owned(),
        version: Version::parse(version).unwrap(),
        checksum: Checksum::of(format!("{name}@{version}").as_bytes()),
        size: 1_000,
        index_line: line(name, version, &[]),
        listed_while_pending: false,
        claimed: None,
        description: None,
        by: Publisher {
            login: by.0.login.clone(),
            user: by.0.id,
            token: Some(by.1.id),
            token_name: Some(by.1.name.clone()),
            method: Some(by.1.method),
            client: Some("cargo 1.95.0".to_owned()),
            address: Some("127.0.0.1".to_owned()),
        },
        job: NewJob::new("inspect", json!({})),
        at,
    }
}

/// Publishes a version that must be new.
pub(crate) async fn publish(store: &Store, publication: &Publication) -> VersionId {
    match store.publish(publication).await.unwrap() {
        Published::New { version, .. } => version,
        Published::Already { .. } => panic!("it was published before"),
    }
}

pub(crate) fn inspection(state: State, score: u8, at: i64) -> Inspection {
    let verdict = match state {
        State::Blocked => Verdict::Block,
        State::Held => Verdict::Quarantine,
        _ => Verdict::Allow,
    };
    Inspection {
        state,
        enforcement: Enforcement::Deny,
        reason: format!("score {score}"),
        case: Some(Case { score, level: Level::of_score(score), ..Case::default() }),
        answer: Some(PolicyAnswer {
            verdict,
            clause: Some("default-alert".to_owned()),
            reason: "a NUL \0 and \u{1F980}".to_owned(),
            ..PolicyAnswer::default()
        }),
        circumstances: None,
        after: None,
        analyzer: "0.1.0".to_owned(),
        size: None,
        at,
    }
}
