//! Answers that are no success, in the form that cargo prints.
//!
//! Cargo shows `errors[].detail` of an answer's JSON. What went wrong inside is written to the log, once, with the number that the answer
//! carries; it is never part of an answer.

use std::io;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cratekeeper_model::Checksum;
use serde::Serialize;

use crate::blobs::BlobError;

/// Most characters of why an account is frozen that whoever acts for it is told.
const FROZEN: usize = 500;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request is not what it should be.
    Bad(String),
    /// Nobody said who is asking, or the token is none of ours.
    Unauthorized(&'static str),
    /// Whoever asks may not.
    Forbidden(String),
    /// There is no such thing.
    NotFound(String),
    /// It is there already, or in another state.
    Conflict(String),
    /// It was taken down.
    Gone(String),
    /// The body is too large.
    TooLarge(u64),
    /// Too many requests; seconds to wait.
    TooMany(u64),
    /// Somebody else's machine failed.
    Upstream(String),
    /// Not now: starting, or ending, or the database is away.
    Unavailable(String),
    /// There is no room left to write down what is asked for.
    Full,
    /// What was asked for is here, and is not what it was when it was kept.
    Damaged(Checksum),
    /// Something here failed. The text is for the log.
    Internal(String),
}

/// The form in which cargo reads errors.
#[derive(Serialize)]
struct Errors {
    errors: [Detail; 1],
}

#[derive(Serialize)]
struct Detail {
    detail: String,
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Failure::Bad(_) => StatusCode::BAD_REQUEST,
            Failure::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Failure::Forbidden(_) => StatusCode::FORBIDDEN,
            Failure::NotFound(_) => StatusCode::NOT_FOUND,
            Failure::Conflict(_) => StatusCode::CONFLICT,
            Failure::Gone(_) => StatusCode::GONE,
            Failure::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Failure::Upstream(_) => StatusCode::BAD_GATEWAY,
            Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Full => StatusCode::INSUFFICIENT_STORAGE,
            Failure::Damaged(_) | Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        match self {
            Failure::Bad(text)
            | Failure::Forbidden(text)
            | Failure::NotFound(text)
            | Failure::Conflict(text)
            | Failure::Gone(text)
            | Failure::Upstream(text)
            | Failure::Unavailable(text) => text.clone(),
            Failure::Unauthorized(text) => (*text).to_owned(),
            Failure::TooLarge(limit) => format!("the request is larger than {limit} bytes"),
            Failure::TooMany(seconds) => format!("too many requests; try again in {seconds} seconds"),
            Failure::Full => {
                "the gate has no room left on its disk; its operator has to make some".to_owned()
            }
            Failure::Damaged(checksum) => format!(
                "the archive with the checksum {checksum} is damaged or missing in the gate's store and is not given out; \
                 its operator can put it back from a backup"
            ),
            Failure::Internal(cause) => {
                let number = fastrand::u64(..);
                tracing::error!(number = format!("{number:016x}"), cause, "a request failed");
                format!("internal error {number:016x}; the operator's log says more")
            }
        }
    }
}

impl Failure {
    /// What whoever asks is told; what is internal is written to the log.
    pub(crate) fn told(&self) -> String {
        self.detail()
    }

    /// The status of its answer.
    pub(crate) fn code(&self) -> StatusCode {
        self.status()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(Errors { errors: [Detail { detail: self.detail() }] });
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            // Cargo looks for this header to tell the user where to get a token.
            Failure::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Cargo"));
            }
            Failure::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        response
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Failure {
        match &error {
            BlobError::Damaged { expected: checksum, .. } | BlobError::NotThere(checksum) => {
                tracing::error!("an archive cannot be given out: {}", with_sources(&error));
                Failure::Damaged(*checksum)
            }
            BlobError::Open { .. } | BlobError::Failed { .. } => Failure::of_storage(&error),
        }
    }
}

impl Failure {
    /// A file or an object could not be read or written.
    pub(crate) fn of_storage(error: &(dyn std::error::Error + 'static)) -> Failure {
        if is_full(error) {
            tracing::error!("there is no room left: {}", with_sources(error));
            return Failure::Full;
        }
        Failure::Internal(with_sources(error))
    }
}

/// Whether the cause of an error is a disk, or somebody's share of it, that is full.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|it| matches!(it.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error with its causes on one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl From<cratekeeper_store::StoreError> for Failure {
    fn from(error: cratekeeper_store::StoreError) -> Failure {
        Failure::from(&error)
    }
}

impl From<&cratekeeper_store::StoreError> for Failure {
    fn from(error: &cratekeeper_store::StoreError) -> Failure {
        use cratekeeper_store::StoreErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Failure::NotFound(error.to_string()),
            Kind::AlreadyExists | Kind::NameTaken { .. } | Kind::VersionTaken { .. } => {
                Failure::Conflict(error.to_string())
            }
            Kind::NotOwner { .. } | Kind::NotOpen => Failure::Forbidden(error.to_string()),
            Kind::Frozen(told) => Failure::Forbidden(crate::refusal::harmless(told, FROZEN)),
            Kind::Refused(_) | Kind::Invalid(_) => Failure::Bad(error.to_string()),
            Kind::Full => {
                tracing::error!("there is no room left: {}", with_sources(error));
                Failure::Full
            }
            Kind::Conflict | Kind::Unavailable => {
                tracing::error!("the database is not at hand: {}", with_sources(error));
                Failure::Unavailable("the database is not at hand; try again in a while".to_owned())
            }
            _ => Failure::Internal(with_sources(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_however_deep_it_is_in_an_error() {
        let cause = io::Error::from_raw_os_error(28); // ENOSPC
        let source = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(cause) };
        let error = BlobError::Failed { operation: "write", checksum: Checksum::of(b""), source };
        let failure = Failure::from(error);
        assert_eq!(failure.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert!(!failure.detail().contains("LocalFileSystem"));
        let source =
            object_store::Error::NotImplemented { operation: String::new(), implementer: String::new() };
        let error = BlobError::Failed { operation: "write", checksum: Checksum::of(b""), source };
        assert_eq!(Failure::from(error).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
