//! The yardstick: a file server on axum that does nothing but read files, with entity tags from times and lengths.

use std::io::Write as _;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

struct Files {
    directory: PathBuf,
    url: String,
}

/// Serves a directory as a sparse registry until the process ends, and prints where.
pub(crate) fn serve(directory: &FilePath) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        println!("{url}");
        std::io::stdout().flush().unwrap();
        let files = Arc::new(Files { directory: directory.to_owned(), url });
        let routes = Router::new()
            .route("/index/config.json", get(config))
            .route("/index/{*path}", get(index))
            .route("/dl/{name}/{version}/download", get(archive))
            .with_state(files);
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn config(State(files): State<Arc<Files>>) -> String {
    format!("{{\"dl\":\"{}/dl\"}}", files.url)
}

async fn index(State(files): State<Arc<Files>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let path = files.directory.join("index").join(path);
    let Ok(metadata) = tokio::fs::metadata(&path).await else { return StatusCode::NOT_FOUND.into_response() };
    let since = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    let etag = format!("\"{}-{}\"", since.as_nanos(), metadata.len());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    ([(header::ETAG, etag)], tokio::fs::read(&path).await.unwrap()).into_response()
}

async fn archive(State(files): State<Arc<Files>>, Path((name, version)): Path<(String, String)>) -> Response {
    match tokio::fs::read(files.directory.join(format!("{name}-{version}.crate"))).await {
        Ok(bytes) => bytes.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
