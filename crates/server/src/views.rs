//! What indexes show, kept in memory: one view of each crate that was asked for lately.
//!
//! A view is made of the rows of a crate's versions and thrown away whenever the database says that the crate changed, whoever changed it:
//! each replica asks for changes several times a second, and drops its own views at once when it changes something itself.

use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use cratekeeper_model::Checksum;
use cratekeeper_store::{
    CrateRecord, Registry, RegistryId, State, StoreError, TombstoneId, VersionRecord, canonical_name,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use semver::Version;

use crate::blobs::{BlobError, WHOLE};
use crate::gate::Gate;

/// Bytes of views that are kept: all index files of a workspace of a thousand packages.
const VIEW_BYTES: u64 = 48 << 20;

/// Bytes of archives that are kept, of those that are read at once.
const ARCHIVE_BYTES: u64 = 24 << 20;

/// How often other replicas' changes are asked for.
const CHANGES_EVERY: Duration = Duration::from_millis(250);

/// Below this, compressing an index file saves less than it costs.
const WORTH_COMPRESSING: usize = 512;

/// A crate as an index shows it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) krate: CrateRecord,
    pub(crate) versions: Vec<VersionRecord>,
    /// The index file.
    pub(crate) body: Bytes,
    /// The same, compressed.
    pub(crate) gzip: Option<Bytes>,
    /// Strong: the same bytes and no others.
    pub(crate) etag: HeaderValue,
}

impl View {
    fn new(krate: CrateRecord, versions: Vec<VersionRecord>) -> View {
        let mut body = String::new();
        for version in versions.iter().filter(|it| it.standing.listed) {
            body.push_str(&with_yank(&version.index_line, version.is_yanked()));
            body.push('\n');
        }
        let etag = format!("\"{}\"", Checksum::of(body.as_bytes()));
        let body = Bytes::from(body);
        View {
            gzip: (body.len() >= WORTH_COMPRESSING).then(|| compressed(&body)).flatten(),
            etag: HeaderValue::from_str(&etag).expect("hexadecimal digits and quotes are a header's value"),
            krate,
            versions,
            body,
        }
    }

    /// The version, whatever its build metadata.
    pub(crate) fn version(&self, version: &Version) -> Option<&VersionRecord> {
        let same = |it: &Version| {
            (it.major, it.minor, it.patch, &it.pre)
                == (version.major, version.minor, version.patch, &version.pre)
        };
        self.versions.iter().find(|it| same(&it.version))
    }

    /// The version that whoever is refused `refused` can take: the highest below it that is open and not withdrawn, else the lowest above.
    pub(crate) fn alternative(&self, refused: &Version) -> Option<&Version> {
        let open = || {
            // What is listed and waits is inspected when somebody asks for it.
            let can_be_had = |it: &&VersionRecord| {
                it.standing.is_open() || (it.standing.listed && it.standing.state == State::Pending)
            };
            self.versions.iter().filter(can_be_had).filter(|it| !it.is_yanked()).map(|it| &it.version)
        };
        let fits = |it: &&Version| it.pre.is_empty() || !refused.pre.is_empty();
        open()
            .filter(fits)
            .filter(|it| *it < refused)
            .max()
            .or_else(|| open().filter(fits).filter(|it| *it > refused).min())
    }
}

/// An index line that says whether its version is withdrawn. What else is in it stays as it came, unknown fields included.
fn with_yank(line: &str, yanked: bool) -> String {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_str(line) else {
        return line.to_owned();
    };
    let stored = fields.get("yanked").and_then(serde_json::Value::as_bool).unwrap_or(false);
    if stored == yanked {
        return line.to_owned();
    }
    fields.insert("yanked".to_owned(), yanked.into());
    serde_json::Value::Object(fields).to_string()
}

fn compressed(body: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

type Key = (RegistryId, String);

#[derive(Debug, Clone)]
struct Bytewise;

impl Weighter<Key, Option<Arc<View>>> for Bytewise {
    fn weight(&self, key: &Key, view: &Option<Arc<View>>) -> u64 {
        let Some(view) = view else { return (200 + key.1.len()) as u64 };
        let rows: usize = view.versions.iter().map(|it| 400 + it.index_line.len()).sum();
        let gzip = view.gzip.as_ref().map_or(0, Bytes::len);
        (200 + key.1.len() + view.body.len() + gzip + rows) as u64
    }
}

impl Weighter<Checksum, Bytes> for Bytewise {
    fn weight(&self, _: &Checksum, bytes: &Bytes) -> u64 {
        64 + bytes.len() as u64
    }
}

/// The views that are kept, and archives that are asked for often.
pub(crate) struct Views {
    /// `None` where there is no such crate: each request for an upstream's asks whether it is hosted here.
    views: Cache<Key, Option<Arc<View>>, Bytewise>,
    archives: Cache<Checksum, Bytes, Bytewise>,
    /// The last change that was seen.
    seen: AtomicI64,
    /// The last tombstone that was seen.
    seen_tombstone: AtomicI64,
    /// Counts changes that were seen or made here, so that no view that was read before one is put in after it.
    generation: Mutex<u64>,
}

impl Views {
    pub(crate) fn new(seen: i64, seen_tombstone: TombstoneId) -> Views {
        Views {
            views: Cache::with_weighter(4_096, VIEW_BYTES, Bytewise),
            archives: Cache::with_weighter(512, ARCHIVE_BYTES, Bytewise),
            seen: AtomicI64::new(seen),
            seen_tombstone: AtomicI64::new(seen_tombstone.0),
            generation: Mutex::default(),
        }
    }

    /// The bytes of an archive that are in memory.
    pub(crate) fn archive(&self, checksum: &Checksum) -> Option<Bytes> {
        self.archives.get(checksum)
    }

    /// Keeps the bytes of an archive for whoever asks next.
    pub(crate) fn keep_archive(&self, checksum: Checksum, bytes: &Bytes) {
        if bytes.len() as u64 <= WHOLE {
            self.archives.insert(checksum, bytes.clone());
        }
    }

    /// Forgets the bytes of an archive.
    pub(crate) fn forget_archive(&self, checksum: &Checksum) {
        self.archives.remove(checksum);
    }

    /// A number is whole after each change, so a panic elsewhere does not matter.
    fn generation(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// The view of a crate; `None` if the registry has none of this name.
    pub(crate) async fn view(
        &self,
        registry: &Registry,
        name: &str,
    ) -> Result<Option<Arc<View>>, StoreError> {
        let key = (registry.id, canonical_name(name));
        if let Some(known) = self.views.views.get(&key) {
            return Ok(known);
        }
        let before = *self.views.generation();
        let found = self.store.crate_versions(registry.id, name).await?;
        let view = found.map(|(krate, versions)| Arc::new(View::new(krate, versions)));
        // While nobody can note a change: one that came in between is dropped before this view is put in, or it is not put in.
        let generation = self.views.generation();
        if *generation == before {
            self.views.views.insert(key, view.clone());
        }
        drop(generation);
        Ok(view)
    }

    /// Drops the view of a crate that this process changed.
    pub(crate) fn changed(&self, registry: &Registry, name: &str) {
        self.noted();
        self.views.views.remove(&(registry.id, canonical_name(name)));
    }

    fn noted(&self) {
        let mut generation = self.views.generation();
        *generation = generation.wrapping_add(1);
    }

    /// Drops the views of all that anybody changed since the last call.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        loop {
            let seen = self.views.seen.load(Ordering::Acquire);
            let changes = self.store.changes_since(seen).await?;
            let Some(last) = changes.iter().map(|it| it.sequence).max() else { return Ok(()) };
            self.noted();
            for change in changes {
                self.views.views.remove(&(change.registry, canonical_name(&change.name)));
            }
            self.forget_taken_down().await?;
            // Last: whoever reads this number gets no view that is older.
            self.views.seen.fetch_max(last, Ordering::AcqRel);
        }
    }

    /// Drops the bytes of all that anybody took down since the last call.
    async fn forget_taken_down(&self) -> Result<(), StoreError> {
        loop {
            let seen = self.views.seen_tombstone.load(Ordering::Acquire);
            let some = self.store.taken_down(TombstoneId(seen)).await?;
            let Some(last) = some.last() else { return Ok(()) };
            self.views.seen_tombstone.fetch_max(last.tombstone.0, Ordering::AcqRel);
            for it in some {
                self.views.forget_archive(&it.checksum);
            }
        }
    }

    /// Asks for changes until the gate ends.
    pub(crate) async fn follow_changes(self: Arc<Gate>) {
        let mut pause = tokio::time::interval(CHANGES_EVERY);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            pause.tick().await;
            if let Err(error) = self.catch_up().await {
                // Nobody knows what changed: nothing that is remembered may be believed.
                self.views.views.clear();
                tracing::warn!("failed to ask for changes: {}", crate::error::with_sources(&error));
            }
        }
    }

    /// Makes sure that an archive is in the archive store as it should be.
    pub(crate) async fn check_archive(&self, checksum: &Checksum) -> Result<(), BlobError> {
        let result = match self.blobs.open(checksum).await {
            Ok(archive) => archive.check().await,
            Err(error) => Err(error),
        };
        result.inspect_err(|error| self.note_damage(error))
    }

    /// That an archive is damaged is written down: a disk goes bad for more than one.
    pub(crate) fn note_damage(&self, error: &BlobError) {
        if matches!(error, BlobError::Damaged { .. }) {
            tracing::error!("{error}");
            self.metrics.damaged_archive();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_yank_of_a_line_changes() {
        let line = r#"{"name":"a","vers":"1.0.0","yanked":false,"new":{"z":1}}"#;
        assert_eq!(with_yank(line, false), line);
        let yanked: serde_json::Value = serde_json::from_str(&with_yank(line, true)).unwrap();
        assert_eq!((yanked["yanked"].as_bool(), yanked["new"]["z"].as_i64()), (Some(true), Some(1)));
        assert_eq!(with_yank(r#"{"vers":"1.0.0"}"#, false), r#"{"vers":"1.0.0"}"#);
    }
}
