//! Giving out: index files and archives, hosted and from upstreams.
//!
//! Both roads end in the same two functions, so that what may not be given out is refused in one place. A download is recorded before the last
//! byte of its body is sent: whoever has a whole archive is in the records.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cratekeeper_store::{Fetch, Registry, Scope, State as Standing, StoreErrorKind, VersionRecord};
use semver::Version;
use serde_json::{Value, json};

use crate::blobs::BlobError;
use crate::callers::{Caller, RequestKind};
use crate::error::Failure;
use crate::gate::{Front, Gate};
use crate::judging::InspectError;
use crate::protocol::{CrateName, crate_of};
use crate::refusal::Refused;
use crate::sending::SendError;
use crate::views::View;

/// Whoever asks again within this time gets no new look; cargo asks every time and sends what it has.
const INDEX_CACHE: &str = "no-cache";

/// How often a crate that changes while it is given out is looked at again. One inspection or act changes it once.
const LOOKS: usize = 8;

/// An archive never changes; but whether it may be given out does.
const ARCHIVE_CACHE: &str = "private, no-cache";

pub(crate) async fn hosted_config(State(gate): State<Arc<Gate>>) -> Json<Value> {
    let url = gate.configuration.url();
    Json(json!({
        "dl": format!("{url}/api/v1/crates"),
        "api": url,
        "auth-required": gate.settings().auth_required,
    }))
}

pub(crate) async fn proxy_config(
    State(gate): State<Arc<Gate>>,
    Path(upstream): Path<String>,
) -> Result<Json<Value>, Failure> {
    front(&gate, &upstream)?;
    let url = gate.configuration.url();
    Ok(Json(json!({
        "dl": format!("{url}/proxy/{upstream}/dl"),
        "auth-required": gate.settings().auth_required,
    })))
}

pub(crate) async fn hosted_index(
    State(gate): State<Arc<Gate>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    Caller::of(&parts, &gate, RequestKind::Read).await?.may_read(&gate)?;
    let name = crate_of(&path).ok_or_else(not_in_index)?;
    let view = gate.view(&gate.hosted, name.as_str()).await?;
    index_file(&gate, view, &parts.headers)
}

pub(crate) async fn proxy_index(
    State(gate): State<Arc<Gate>>,
    Path((upstream, path)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Read).await?;
    caller.may_read(&gate)?;
    let front = front(&gate, &upstream)?;
    let name = crate_of(&path).ok_or_else(not_in_index)?;
    refuse_private_name(&gate, &upstream, &name).await?;
    let view = gate.refreshed(front, &name, caller.address).await?;
    index_file(&gate, view, &parts.headers)
}

pub(crate) async fn hosted_download(
    State(gate): State<Arc<Gate>>,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    download(&gate, &gate.hosted, &name, &version, request).await
}

pub(crate) async fn proxy_download(
    State(gate): State<Arc<Gate>>,
    Path((upstream, name, version)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let front = front(&gate, &upstream)?;
    let parsed = CrateName::parse(&name).map_err(|error| Failure::Bad(error.to_string()))?;
    refuse_private_name(&gate, &upstream, &parsed).await?;
    download(&gate, &front.registry, &name, &version, request).await
}

fn front<'a>(gate: &'a Gate, name: &str) -> Result<&'a Front, Failure> {
    gate.fronts.get(name).ok_or_else(|| Failure::NotFound("there is no such upstream".to_owned()))
}

fn not_in_index() -> Failure {
    Failure::NotFound("the index has no such file".to_owned())
}

/// A name that is hosted privately never comes from elsewhere: an upstream's crate of that name would be built in its place.
async fn refuse_private_name(gate: &Gate, upstream: &str, name: &CrateName) -> Result<(), Failure> {
    if gate.settings().upstream[upstream].may_be_shadowed(name) {
        return Ok(());
    }
    if gate.view(&gate.hosted, name.as_str()).await?.is_some() {
        return Err(Failure::NotFound(format!(
            "`{name}` is a crate of the hosted registry; it is not taken from `{upstream}`"
        )));
    }
    Ok(())
}

/// An index file, whole, compressed, or not at all if the client has it.
fn index_file(gate: &Gate, view: Option<Arc<View>>, headers: &HeaderMap) -> Result<Response, Failure> {
    let view = view.filter(|it| !it.body.is_empty()).ok_or_else(not_in_index)?;
    gate.metrics.index_request();
    let accepts = |name: header::HeaderName, text: &str| {
        headers.get_all(name).iter().any(|it| it.to_str().is_ok_and(|it| it.contains(text)))
    };
    let has_it = headers.get_all(header::IF_NONE_MATCH).iter().any(|it| {
        it.to_str().is_ok_and(|it| it.split(',').any(|tag| tag.trim().trim_start_matches("W/") == view.etag))
    });
    let mut answer = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match &view.gzip {
            Some(gzip) if accepts(header::ACCEPT_ENCODING, "gzip") => {
                ([(header::CONTENT_ENCODING, "gzip")], gzip.clone()).into_response()
            }
            _ => view.body.clone().into_response(),
        }
    };
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    fields.insert(header::ETAG, view.etag.clone());
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(INDEX_CACHE));
    fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(answer)
}

async fn download(
    gate: &Arc<Gate>,
    registry: &Registry,
    name: &str,
    version: &str,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, gate, RequestKind::Read).await?;
    caller.may_read(gate)?;
    // Cargo asks the index with whatever token it has; content is another matter.
    if gate.settings().auth_required {
        caller.with_scope(Scope::Read, name)?;
    }
    let name = CrateName::parse(name).map_err(|error| Failure::Bad(error.to_string()))?;
    let version: Version = version.parse().map_err(|_| Failure::Bad("invalid version".to_owned()))?;
    for _ in 0..LOOKS {
        let (view, record) = find(gate, registry, &name, &version, &caller).await?;
        if let Some(answer) = give(gate, registry, &caller, (&view, &record)).await? {
            return Ok(answer);
        }
    }
    Err(Failure::Unavailable(format!("`{name}` changes all the time; try again in a while")))
}

/// Gives out an archive, or says why not; `None` when somebody decided otherwise since it was looked at, here or at another replica.
async fn give(
    gate: &Gate,
    registry: &Registry,
    caller: &Caller,
    (view, record): (&View, &VersionRecord),
) -> Result<Option<Response>, Failure> {
    if record.is_taken_down() {
        gate.metrics.refused();
        return Err(gone(gate, registry, view, record));
    }
    if !record.standing.is_open() {
        gate.metrics.refused();
        if record.standing.state == Standing::Pending
            && let Some(front) = gate.front(registry)
            && front.troubles.is_about(record.id)
        {
            return Err(not_had(registry));
        }
        return Ok(Some(refusal(gate, view, record)));
    }
    let (body, length) = match gate.to_send(&record.checksum, caller.address).await {
        Ok(body) => body,
        // What is damaged here is as good as not there, where it can be had again.
        Err(SendError::Blob(BlobError::NotThere(_) | BlobError::Damaged { .. })) => {
            let brought = gate.bring(registry, &view.krate, record).await;
            match brought {
                // Somebody took it down a moment ago, elsewhere.
                Err(InspectError::TakenDown) => {
                    gate.changed(registry, &view.krate.name);
                    return Ok(None);
                }
                brought => brought.map_err(|error| unreachable(registry, error))?,
            }
            gate.to_send(&record.checksum, caller.address).await?
        }
        Err(error) => return Err(error.into()),
    };
    let fetch = Fetch {
        version: record.id,
        token: caller.account.as_ref().map(|(token, _)| token.id),
        login: caller.account.as_ref().map(|(_, user)| user.login.clone()),
        address: caller.address.map(|it| it.to_string()),
        client: caller.client.clone(),
        at: gate.now(),
    };
    // No record, no bytes: whoever is to be told about a malicious version must be in the records.
    match gate.recorder.record(fetch).await {
        Ok(()) => {
            gate.metrics.downloaded(length);
            Ok(Some(archive(body)))
        }
        // Somebody decided so a moment ago, elsewhere.
        Err(error) if *error.kind() == StoreErrorKind::NotOpen => {
            gate.changed(registry, &view.krate.name);
            gate.views.forget_archive(&record.checksum);
            Ok(None)
        }
        Err(error) => Err(Failure::from(&*error)),
    }
}

/// The version as it stands; inspected first if it is not.
async fn find(
    gate: &Arc<Gate>,
    registry: &Registry,
    name: &CrateName,
    version: &Version,
    caller: &Caller,
) -> Result<(Arc<View>, VersionRecord), Failure> {
    let missing = || Failure::NotFound(format!("there is no `{name}` {version}"));
    let mut view = gate.view(registry, name.as_str()).await?;
    if view.is_none()
        && let Some(front) = gate.front(registry)
    {
        // Cargo may have the index from another time, or another replica.
        view = gate.refreshed(front, name, caller.address).await?;
    }
    let view = view.ok_or_else(missing)?;
    let record = view.version(version).cloned().ok_or_else(missing)?;
    if record.standing.state != Standing::Pending {
        return Ok((view, record));
    }
    let view = gate.inspected(registry, name.as_str(), record.id).await?.ok_or_else(missing)?;
    let record = view.version(version).cloned().ok_or_else(missing)?;
    Ok((view, record))
}

/// The answer to whoever asks for what was taken down.
fn gone(gate: &Gate, registry: &Registry, view: &View, record: &VersionRecord) -> Failure {
    let (name, number) = (&view.krate.name, &record.version);
    let reason = crate::refusal::harmless(record.taken_down.as_deref().unwrap_or_default(), 300);
    let alternative = view.alternative(number).map_or_else(String::new, |it| format!("; {it} can be had"));
    let page = gate.version_page(registry, name, number);
    Failure::Gone(format!(
        "`{name}` {number} was taken down by this registry: {reason}{alternative}; see {page}"
    ))
}

fn unreachable(registry: &Registry, error: InspectError) -> Failure {
    match error {
        // It was hosted here, and is gone or damaged.
        InspectError::Blob(error) => error.into(),
        InspectError::Store(error) => error.into(),
        error => {
            let cause = crate::error::with_sources(&error);
            tracing::warn!(upstream = registry.name, "an archive cannot be had: {cause}");
            not_had(registry)
        }
    }
}

fn not_had(registry: &Registry) -> Failure {
    let name = &registry.name;
    Failure::Upstream(format!(
        "the upstream `{name}` does not give the archive that its index promises; try again in a while"
    ))
}

/// The answer to whoever asks for what may not be given out.
fn refusal(gate: &Gate, view: &View, record: &VersionRecord) -> Response {
    let state = match record.standing.state {
        Standing::Held => "held",
        Standing::Blocked => "blocked",
        Standing::Pending => "waiting for its inspection",
        Standing::Failed => "not inspected, so not given out",
        Standing::Released => "released",
    };
    let by = match (&record.standing.decision, &record.clause) {
        (Some(_), _) => "a person's decision".to_owned(),
        (None, Some(clause)) => format!("policy `{clause}`"),
        (None, None) => "the gate".to_owned(),
    };
    let number = record.version.to_string();
    let alternative = view.alternative(&record.version).map(Version::to_string);
    // Short, because names are up to 64 characters long and stand before it already.
    let link = format!("{}/v/{}", gate.configuration.url(), record.id);
    let text = Refused {
        name: &view.krate.name,
        version: &number,
        state,
        by: &by,
        reason: &record.standing.reason,
        alternative: alternative.as_deref(),
        link: &link,
    }
    .text();
    // While it is inspected, cargo may ask again; the others are final.
    let status = if record.standing.state == Standing::Pending {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::FORBIDDEN
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, text).into_response()
}

/// The bytes, once the record of the fetch is durable.
fn archive(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/gzip"),
        (header::CACHE_CONTROL, ARCHIVE_CACHE),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}
