//! A registry that does as it is told: answers, lies, hangs, or is not there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::gate::Sample;

/// How it behaves towards whoever asks for a path.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// `200` with these bytes.
    Gives(Vec<u8>),
    /// This status, and nothing else.
    Status(u16),
    /// This status after so many seconds.
    Slowly(u64, u16),
    /// Sends elsewhere.
    Redirects(String),
    /// Announces a length, sends other bytes, and closes the connection.
    Announces(usize, Vec<u8>),
    /// Sends without an end.
    Endless,
    /// Sends a byte now and then.
    Trickles,
    /// Takes the request and says nothing.
    Hangs,
    /// Closes the connection without a word.
    Closes,
}

/// Where requests are answered from, by the beginnings of their paths; the longest that fits counts.
type Paths = Arc<Mutex<BTreeMap<String, Behaviour>>>;

/// A registry that runs until this is dropped. Its crates are below a path for each upstream that it plays.
pub(crate) struct Registry {
    pub(crate) address: String,
    paths: Paths,
    /// Requests that came.
    pub(crate) requests: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    pub(crate) fn start() -> Registry {
        let mut registry = Registry {
            address: "127.0.0.1:0".to_owned(),
            paths: Paths::default(),
            requests: Arc::default(),
            ends: Arc::default(),
            thread: None,
        };
        registry.go_up();
        registry
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers where it answered before.
    pub(crate) fn go_up(&mut self) {
        let listener = TcpListener::bind(&self.address).unwrap();
        self.address = listener.local_addr().unwrap().to_string();
        self.ends.store(false, Ordering::Release);
        let (paths, requests, ends) = (self.paths.clone(), self.requests.clone(), self.ends.clone());
        self.thread = Some(std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Acquire) {
                    return;
                }
                let (paths, requests, ends) = (paths.clone(), requests.clone(), ends.clone());
                std::thread::spawn(move || serve(stream, &paths, &requests, &ends));
            }
        }));
    }

    /// Is not there any more: connections are refused.
    pub(crate) fn go_down(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.ends.store(true, Ordering::Release);
        let _ = TcpStream::connect(&self.address);
        thread.join().unwrap();
    }

    /// Behaves in this way towards paths that begin so.
    pub(crate) fn set(&self, path: &str, behaviour: Behaviour) {
        self.paths.lock().unwrap().insert(path.to_owned(), behaviour);
    }

    /// Lists versions of a crate honestly, and gives their archives.
    pub(crate) fn has(&self, upstream: &str, versions: &[&Sample]) {
        let config = json!({ "dl": format!("{}/{upstream}/dl", self.url()) }).to_string();
        self.set(&format!("/{upstream}/index/config.json"), Behaviour::Gives(config.into_bytes()));
        let lines: String = versions.iter().map(|it| format!("{}\n", line(it, &it.checksum()))).collect();
        let path = format!("/{upstream}/index/{}", versions[0].index_path());
        self.set(&path, Behaviour::Gives(lines.into_bytes()));
        for version in versions {
            self.set(&archive(upstream, version), Behaviour::Gives(version.bytes.clone()));
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.go_down();
    }
}

/// Path of an archive.
pub(crate) fn archive(upstream: &str, version: &Sample) -> String {
    format!("/{upstream}/dl/{}/{}/download", version.name, version.number)
}

/// An index line of a version that is old enough to be listed before it was inspected.
pub(crate) fn line(version: &Sample, checksum: &str) -> serde_json::Value {
    json!({
        "name": version.name, "vers": version.number, "deps": [], "cksum": checksum, "features": {}, "yanked": false,
        "pubtime": "2020-01-01T00:00:00Z",
    })
}

fn serve(stream: TcpStream, paths: &Paths, requests: &AtomicUsize, ends: &AtomicBool) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(path) = lines.next().and_then(|it| it.split(' ').nth(1).map(str::to_owned)) else { return };
    for _ in lines.take_while(|it| !it.is_empty()) {}
    requests.fetch_add(1, Ordering::AcqRel);
    let behaviour = {
        let paths = paths.lock().unwrap();
        let fits = paths.iter().filter(|(beginning, _)| path.starts_with(beginning.as_str()));
        fits.max_by_key(|(beginning, _)| beginning.len()).map(|(_, behaviour)| behaviour.clone())
    };
    // Whoever asked may have gone.
    let _ = answer(stream, behaviour.unwrap_or(Behaviour::Status(404)), ends);
}

fn answer(mut stream: TcpStream, behaviour: Behaviour, ends: &AtomicBool) -> std::io::Result<()> {
    let mut head = |status: &str, fields: &str| {
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\n{fields}\r\n\r\n")
            .map(|()| stream.try_clone())
    };
    match behaviour {
        Behaviour::Gives(bytes) => {
            head("200 OK", &format!("content-length: {}", bytes.len()))??.write_all(&bytes)
        }
        Behaviour::Status(status) => head(&format!("{status} Status"), "content-length: 0")?.map(|_| ()),
        Behaviour::Slowly(seconds, status) => {
            std::thread::sleep(Duration::from_secs(seconds));
            head(&format!("{status} Status"), "content-length: 0")?.map(|_| ())
        }
        Behaviour::Redirects(to) => {
            head("302 Found", &format!("location: {to}\r\ncontent-length: 0"))?.map(|_| ())
        }
        Behaviour::Announces(length, bytes) => {
            head("200 OK", &format!("content-length: {length}"))??.write_all(&bytes)
        }
        Behaviour::Endless => {
            let mut stream = head("200 OK", "content-type: application/octet-stream")??;
            let line = [b'x'; 1 << 14];
            while !ends.load(Ordering::Acquire) {
                stream.write_all(&line)?;
            }
            Ok(())
        }
        Behaviour::Trickles => {
            let mut stream = head("200 OK", "content-length: 1000000")??;
            while !ends.load(Ordering::Acquire) {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(())
        }
        Behaviour::Hangs => {
            while !ends.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(())
        }
        Behaviour::Closes => Ok(()),
    }
}
