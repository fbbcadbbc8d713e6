//! A registry of a few lines: it answers what a test tells it to, and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cratekeeper_model::{Checksum, Package, PackageId, PackageSource};
use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Network, PackageFinder};
use fs_err as fs;
use semver::Version;

/// What the server was asked: path, and the value of `If-None-Match`.
pub(super) type Log = Arc<Mutex<Vec<(String, Option<String>)>>>;

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// Promised length, if it is not the body's.
    pub(super) length: Option<usize>,
}

impl Reply {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: body.into(), length: None }
    }

    pub(super) fn status(status: u16) -> Reply {
        Reply { status, ..Reply::ok("") }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }
}

pub(super) struct Server {
    pub(super) url: String,
    pub(super) log: Log,
}

impl Server {
    /// Starts a server; `answer` gets the path, and how often it was asked for before.
    pub(super) fn start(answer: impl Fn(&str, usize) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let log = Log::default();
        let seen = Arc::clone(&log);
        // Ends with the process: a test that waits for a connection that never comes must not hang.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &answer, &seen);
            }
        });
        Server { url, log }
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn count(&self, path: &str) -> usize {
        self.paths().iter().filter(|asked| *asked == path).count()
    }
}

fn serve(mut stream: TcpStream, answer: &impl Fn(&str, usize) -> Reply, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let path = lines.next().transpose()?.unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let mut revision = None;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("if-none-match")
        {
            revision = Some(value.to_owned());
        }
    }
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|(asked, _)| *asked == path).count();
        log.push((path.clone(), revision));
        before
    };
    let reply = answer(&path, before);
    write!(stream, "HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status)?;
    if reply.headers.iter().all(|(name, _)| *name != "Transfer-Encoding") {
        write!(stream, "Content-Length: {}\r\n", reply.length.unwrap_or(reply.body.len()))?;
    }
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body)
}

/// Cargo's home and our cache in a temporary directory, and packages from a registry at `index`.
pub(super) struct World {
    root: tempfile::TempDir,
    index: String,
}

impl World {
    pub(super) fn new(index: &str) -> World {
        World { root: tempfile::tempdir().unwrap(), index: index.to_owned() }
    }

    pub(super) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub(super) fn tree(&self) -> PathBuf {
        self.root.path().join("tree")
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn finder(&self, network: Network) -> PackageFinder {
        self.finder_with(network, |_| {})
    }

    pub(super) fn finder_with(
        &self,
        network: Network,
        change: impl FnOnce(&mut FinderOptions),
    ) -> PackageFinder {
        let environment = CargoEnvironment::new(self.home(), []);
        let config = CargoConfig::load(&self.tree(), &environment).unwrap();
        let mut options = FinderOptions::new(self.cache(), network);
        options.retry_pause = Duration::from_millis(1);
        change(&mut options);
        PackageFinder::new(config, options).unwrap()
    }

    pub(super) fn package(&self, name: &str, version: &str, checksum: Option<Checksum>) -> Package {
        let source = PackageSource::Registry(format!("sparse+{}", self.index));
        package(source, name, version, checksum)
    }

    /// Directory name that cargo gives this registry.
    pub(super) fn directory(&self) -> String {
        tame_index::utils::url_to_local_dir(&format!("sparse+{}", self.index), true).unwrap().dir_name
    }
}

pub(super) fn package(
    source: PackageSource,
    name: &str,
    version: &str,
    checksum: Option<Checksum>,
) -> Package {
    let version = Version::parse(version).unwrap();
    Package {
        id: PackageId::new(&source, name, &version),
        name: name.to_owned(),
        version,
        checksum,
        source,
        kinds: Vec::new(),
        platforms: Vec::new(),
        features: None,
    }
}

/// All files below `directory`.
pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// One line of an index.
pub(super) fn line(name: &str, version: &str, checksum: &Checksum, yanked: bool) -> String {
    format!(
        r#"{{"name":"{name}","vers":"{version}","deps":[],"cksum":"{checksum}","features":{{}},"yanked":{yanked}}}"#
    )
}
