//! `cargo publish`.
//!
//! The order is what makes a crash harmless: the request is checked, the archive's manifest read in a worker, the bytes kept, and only then is
//! the version written, in one transaction with its inspection. Whoever was told "published" has a version; whoever was cut off publishes again.

use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use cratekeeper_engine::ManifestError;
use cratekeeper_model::facts::ManifestFacts;
use cratekeeper_model::{Checksum, Facts};
use cratekeeper_store::{
    LockedAction, Publication as NewPublication, Published, Publisher, Scope, State as Standing, Token, User,
    VersionRecord,
};
use semver::Version;
use serde_json::{Value, json};

use crate::callers::{Caller, RequestKind};
use crate::error::Failure;
use crate::gate::Gate;
use crate::protocol::{CrateName, IndexLine, Publication, missing};

/// What else a publish request holds: metadata with the README, which cargo limits to the archive's size.
const BESIDE_ARCHIVE: u64 = 12 << 20;

/// How long questions to upstreams may take. Cargo gives up after 30 seconds.
const UPSTREAMS: Duration = Duration::from_secs(20);

/// Bytes of a description that are kept, for lists.
const DESCRIPTION: usize = 500;

/// How long an upload may take: the largest archive at 5 Mbit/s.
const UPLOAD: Duration = Duration::from_secs(120);

/// Versions of the crate that nobody gets and whoever publishes is told of.
const KEPT_BACK: usize = 3;

/// Claims that are told to whoever published; a hostile request could differ in a thousand ways.
const DIFFERENCES: usize = 10;

pub(super) async fn publish(State(gate): State<Arc<Gate>>, request: Request) -> Result<Json<Value>, Failure> {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Write).await?;
    // Before the body is read: nobody without a token makes us hold megabytes.
    let (token, user) = caller.signed_in()?;
    if !token.has(Scope::PublishNew) && !token.has(Scope::PublishUpdate) {
        return Err(Failure::Forbidden("this token may not be used to publish".to_owned()));
    }
    gate.refuse_frozen(user).await?;
    // Closed never: the gate lives longer than its requests.
    let turn = gate.publishing.turn(Some(user.id.0), 1).await;
    let _turn = turn.map_err(|_| Failure::Unavailable("the gate ends".to_owned()))?;
    let whole = whole(body, gate.settings().max_archive + BESIDE_ARCHIVE);
    // Few are let in at a time: who sends a byte a minute must not keep the others out.
    let late = |_| Failure::Bad(format!("the request did not end within {} seconds", UPLOAD.as_secs()));
    let body = tokio::time::timeout(UPLOAD, whole).await.map_err(late)??;
    let publication = Publication::parse(&body).map_err(|error| Failure::Bad(error.to_string()))?;
    if publication.archive.len() as u64 > gate.settings().max_archive {
        return Err(Failure::TooLarge(gate.settings().max_archive));
    }
    let name =
        CrateName::parse(&publication.metadata.name).map_err(|error| Failure::Bad(error.to_string()))?;
    let version: Version = publication
        .metadata
        .vers
        .parse()
        .map_err(|error| Failure::Bad(format!("invalid version: {error}")))?;
    let (token, user) = may_publish(&gate, &caller, &name).await?;
    refuse_taken(&gate, &user.login, &name, &version).await?;
    match gate.store.krate(gate.hosted.id, name.as_str()).await? {
        Some(krate) => gate.refuse_locked(&krate, LockedAction::Publish).await?,
        None => gate.refuse_kept(&user.login, &name).await?,
    }
    patiently(refuse_foreign_names(&gate, &name, caller.address)).await?;

    let archive = body.slice_ref(publication.archive);
    let checksum = Checksum::of(&archive);
    let facts = manifest(&gate, &name, &version, checksum, archive.clone()).await?;
    check(&gate, &facts.manifest, &name, &version)?;
    let line = IndexLine::of_manifest(name.as_str(), &version, &facts.manifest, checksum, &gate.public);
    let differences = line.differences(&publication.metadata);
    let claimed = (!differences.is_empty()).then(|| publication.metadata.declared());
    let mut warnings = told(differences);
    warnings.extend(patiently(unknown_dependencies(&gate, &line, caller.address)).await?);

    let size = archive.len() as u64;
    gate.blobs.put(archive.clone()).await?;
    let published = gate
        .store
        .publish(&NewPublication {
            registry: gate.hosted.id,
            name: name.as_str().to_owned(),
            version: version.clone(),
            checksum,
            size,
            index_line: IndexLine { pubtime: Some(rfc3339(gate.now())), ..line }.to_json(),
            listed_while_pending: false,
            description: facts
                .manifest
                .description
                .as_deref()
                .map(|it| crate::refusal::harmless(it, DESCRIPTION)),
            claimed,
            by: publisher(&caller, token, user),
            job: gate.inspection_job(&gate.hosted),
            at: gate.now(),
        })
        .await;
    keep_or_seal(&gate, published.as_ref().ok(), (checksum, archive)).await?;
    let published = published?;
    gate.changed(&gate.hosted, name.as_str());
    gate.metrics.published();
    gate.there_is_work();
    if let Published::New { is_first, .. } = published {
        if is_first {
            gate.load_names().await;
        }
        gate.judge_again(&gate.hosted, name.as_str()).await?;
    }
    warnings.extend(kept_back(&gate, &name, &version).await?);
    Ok(Json(json!({ "warnings": { "invalid_categories": [], "invalid_badges": [], "other": warnings } })))
}

/// Looks after the bytes once it is known whether there is a version of them: the same bytes may be on their way into the vault, from another
/// registry, and bytes of what was taken down may not stay.
async fn keep_or_seal(
    gate: &Gate,
    published: Option<&Published>,
    (checksum, archive): (Checksum, Bytes),
) -> Result<(), Failure> {
    if !matches!(published, Some(Published::New { .. })) {
        return Ok(gate.seal_what_came_back(checksum).await?);
    }
    if !gate.blobs.has(&checksum).await? {
        gate.blobs.put(archive).await?;
    }
    Ok(())
}

/// Questions to upstreams, for as long as others can wait who want to publish, too.
async fn patiently<T>(asked: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Failure::Unavailable("an upstream does not answer; try again in a while".to_owned());
    tokio::time::timeout(UPSTREAMS, asked).await.map_err(late)?
}

/// The whole body, up to a limit.
async fn whole(body: Body, limit: u64) -> Result<Bytes, Failure> {
    let limit_as_size = usize::try_from(limit).unwrap_or(usize::MAX);
    axum::body::to_bytes(body, limit_as_size).await.map_err(|error| {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(cause) = source {
            if cause.to_string().contains("length limit") {
                return Failure::TooLarge(limit);
            }
            source = cause.source();
        }
        Failure::Bad("the request ended before its body".to_owned())
    })
}

/// A first version needs another scope than a further one.
async fn may_publish<'a>(
    gate: &Gate,
    caller: &'a Caller,
    name: &CrateName,
) -> Result<(&'a Token, &'a User), Failure> {
    let is_new = gate.store.krate(gate.hosted.id, name.as_str()).await?.is_none();
    let scope = if is_new { Scope::PublishNew } else { Scope::PublishUpdate };
    if is_new && name.is_reserved() {
        return Err(Failure::Bad(format!("nobody can publish under the reserved name `{name}`")));
    }
    caller.with_scope(scope, name.as_str())
}

/// What the transaction would refuse at the end is refused before megabytes are stored for it. It has the last word all the same.
async fn refuse_taken(gate: &Gate, login: &str, name: &CrateName, version: &Version) -> Result<(), Failure> {
    let Some(krate) = gate.store.krate(gate.hosted.id, name.as_str()).await? else { return Ok(()) };
    if !gate.store.is_owner(krate.id, login).await? {
        return Err(Failure::Forbidden(format!("`{login}` is not an owner of `{}`", krate.name)));
    }
    if krate.name != name.as_str() {
        return Err(Failure::Conflict(format!(
            "there is a crate `{}`, which differs in case, `-` or `_` alone",
            krate.name
        )));
    }
    if let Some((_, before)) = gate.store.version(gate.hosted.id, name.as_str(), version).await? {
        let end = if before.is_taken_down() { " and taken down; its number stays taken" } else { "" };
        return Err(Failure::Conflict(format!("version {version} of `{name}` was published before{end}")));
    }
    Ok(())
}

/// A private crate of the name of an upstream's would be two crates of one name in the same build: which one is taken is what dependency
/// confusion is about.
async fn refuse_foreign_names(gate: &Gate, name: &CrateName, asker: Option<IpAddr>) -> Result<(), Failure> {
    if gate.store.krate(gate.hosted.id, name.as_str()).await?.is_some() {
        return Ok(());
    }
    for (front_name, front) in &gate.fronts {
        let known = gate.store.krate(front.registry.id, name.as_str()).await?.is_some();
        if (known || gate.upstream_has(front, name, asker).await?)
            && !gate.settings().upstream[front_name].may_be_shadowed(name)
        {
            return Err(Failure::Conflict(format!(
                "the upstream `{front_name}` has a crate `{name}`; publish under another name, or have an operator add it to \
                 `upstream.{front_name}.shadowed`"
            )));
        }
    }
    Ok(())
}

/// What the archive's manifest says. It is read in a worker, like everything else of a stranger.
async fn manifest(
    gate: &Arc<Gate>,
    name: &CrateName,
    version: &Version,
    checksum: Checksum,
    archive: Bytes,
) -> Result<Box<Facts>, Failure> {
    let package = gate.package(&gate.hosted, name.as_str(), version, checksum);
    let gate = gate.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut file =
            tempfile::NamedTempFile::new_in(gate.temporary()).map_err(|error| Failure::of_storage(&error))?;
        file.write_all(&archive).map_err(|error| Failure::of_storage(&error))?;
        gate.engine.manifest_of(&package, file.path()).map_err(|error| not_accepted(&error))
    });
    read.await.map_err(|_| Failure::Internal("the worker that reads manifests ended".to_owned()))?
}

fn not_accepted(error: &ManifestError) -> Failure {
    match error {
        ManifestError::Refused(reason) => Failure::Bad(format!("the archive cannot be accepted: {reason}")),
        error => {
            tracing::error!("an archive that somebody publishes cannot be read: {error}");
            Failure::Unavailable(
                "the gate cannot read archives at the moment, whatever is in them; try again in a while, and tell its operator, whose log says why"
                    .to_owned(),
            )
        }
    }
}

fn check(gate: &Gate, manifest: &ManifestFacts, name: &CrateName, version: &Version) -> Result<(), Failure> {
    if manifest.name.as_deref() != Some(name.as_str()) {
        return Err(Failure::Bad(format!("the `Cargo.toml` in the archive is not that of `{name}`")));
    }
    if manifest.version.as_deref().and_then(|it| it.parse::<Version>().ok()).as_ref() != Some(version) {
        return Err(Failure::Bad(format!(
            "the `Cargo.toml` in the archive is not that of version {version}"
        )));
    }
    let mut problems: Vec<String> =
        manifest.problems.iter().filter(|it| it.contains("cannot be read")).cloned().collect();
    let found = missing(manifest);
    let is_metadata = |it: &String| it.contains("missing or empty");
    problems.extend(found.into_iter().filter(|it| gate.settings().require_metadata || !is_metadata(it)));
    if problems.is_empty() { Ok(()) } else { Err(Failure::Bad(problems.join("; "))) }
}

/// Versions of the same crate that nobody gets: cargo shows its owner at the next publish what a webhook or the page told before.
async fn kept_back(gate: &Gate, name: &CrateName, own: &Version) -> Result<Vec<String>, Failure> {
    let Some(view) = gate.view(&gate.hosted, name.as_str()).await? else { return Ok(Vec::new()) };
    let is_kept = |it: &&VersionRecord| matches!(it.standing.state, Standing::Held | Standing::Blocked);
    let mut kept: Vec<&VersionRecord> =
        view.versions.iter().filter(is_kept).filter(|it| it.version != *own).collect();
    kept.sort_by_key(|it| std::cmp::Reverse(it.first_seen));
    let told = |it: &&VersionRecord| {
        let reason = crate::refusal::harmless(&it.standing.reason, 200);
        let page = gate.version_page(&gate.hosted, &view.krate.name, &it.version);
        format!("{} is {} and not given out: {reason}; see {page}", it.version, it.standing.state)
    };
    Ok(kept.iter().take(KEPT_BACK).map(told).collect())
}

/// Honest clients say what the manifest says. What others claim gets nowhere, is told to whoever published, and is a finding of the inspection.
fn told(mut differences: Vec<String>) -> Vec<String> {
    let more = differences.len().saturating_sub(DIFFERENCES);
    differences.truncate(DIFFERENCES);
    let shown = |it: String| crate::refusal::harmless(&it, 300);
    let mut told: Vec<String> = differences.into_iter().map(shown).collect();
    if more > 0 {
        told.push(format!("{more} further claims of the request are not those of its `Cargo.toml`"));
    }
    told
}

/// Dependencies that this registry, or an upstream that is asked in the place of theirs, does not have. Those in registries that the gate does
/// not know are not looked for.
async fn unknown_dependencies(
    gate: &Gate,
    line: &IndexLine,
    asker: Option<IpAddr>,
) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    for dependency in line.deps.iter().filter(|it| it.kind.as_deref() != Some("dev")) {
        let Ok(name) = CrateName::parse(dependency.package.as_deref().unwrap_or(&dependency.name)) else {
            continue;
        };
        let is_there = match &dependency.registry {
            None => gate.store.krate(gate.hosted.id, name.as_str()).await?.is_some(),
            Some(index) if Some(index) == gate.public.default_index.as_ref() => {
                let mut fronts = gate
                    .fronts
                    .iter()
                    .filter(|(it, _)| gate.configuration.upstream[*it].replaces == "crates-io");
                match fronts.next() {
                    Some((_, front)) => gate.upstream_has(front, &name, asker).await.unwrap_or(true),
                    None => true,
                }
            }
            Some(_) => true,
        };
        if !is_there {
            missing.push(format!("`{name}`"));
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    Err(Failure::Bad(format!("no registry that is known here has the dependencies {}", missing.join(", "))))
}

fn publisher(caller: &Caller, token: &Token, user: &User) -> Publisher {
    Publisher {
        login: user.login.clone(),
        user: user.id,
        token: Some(token.id),
        token_name: Some(token.name.clone()),
        method: Some(token.method),
        client: caller.client.clone(),
        address: caller.address.map(|it| it.to_string()),
    }
}

fn rfc3339(at: i64) -> String {
    jiff::Timestamp::from_second(at).map(|it| it.to_string()).unwrap_or_default()
}
