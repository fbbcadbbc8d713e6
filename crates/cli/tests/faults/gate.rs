//! A gate that is started, killed and started again on the same address, and what its clients do.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cratekeeper_archive::CrateBuilder;
use cratekeeper_model::Checksum;
use fastrand::Rng;
use serde_json::{Value, json};

/// Longest wait for anything that ends by itself; nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What every gate of these tests is told: a version that is not inspected is refused at once, so that nobody waits for what was killed.
const CONFIGURATION: &str =
    "require-metadata = false\nwrites-per-minute = 1000000\nreads-per-minute = 1000000\n";

/// A place for a gate: its address, its data, and the account of whoever tests it.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    /// Of the gate; it stays the same when it is started again.
    pub(crate) address: String,
    /// Where the gate has its data, for itself.
    data: PathBuf,
    arguments: Vec<String>,
    /// Token of the first account.
    pub(crate) token: String,
}

/// A gate that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    /// Link that makes the first account, if nobody has one.
    setup: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Running {
    /// `SIGKILL`: it gets no chance to do anything.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

/// An answer over HTTP, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// An error that tells nothing about the inside.
    #[track_caller]
    pub(crate) fn is_clean_error(&self, place: &Place) {
        let text = self.text();
        assert!(self.status >= 400, "{} {text}", self.status);
        let inside = place.path("");
        for word in
            [inside.to_str().unwrap().trim_end_matches('/'), "panicked", "sqlx", "os error", ".rs:", "SELECT"]
        {
            assert!(!text.contains(word), "`{word}` in {text}");
        }
    }
}

impl Place {
    /// A place whose gates are started with `arguments`, set up by `configuration`.
    pub(crate) fn new(configuration: &str, arguments: &[&str]) -> Place {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("gate");
        fs::create_dir_all(&data).unwrap();
        fs::create_dir_all(directory.path().join("cargo")).unwrap();
        fs::write(data.join("gate.toml"), format!("{CONFIGURATION}{configuration}\n")).unwrap();
        // Free at this moment; the gate takes it a moment later.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        Place { directory, address, data, arguments, token: String::new() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// The program with these arguments, in an environment of its own.
    pub(crate) fn program(&self) -> Command {
        self.in_environment(Command::new(env!("CARGO_BIN_EXE_cratekeeper")))
    }

    fn in_environment(&self, mut command: Command) -> Command {
        command.current_dir(self.directory.path()).env_clear();
        for (variable, directory) in
            [("HOME", "home"), ("CARGO_HOME", "cargo"), ("CRATEKEEPER_CACHE_DIR", "cache")]
        {
            command.env(variable, self.path(directory));
        }
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Starts the gate, and waits until it says where it listens.
    pub(crate) fn start(&self) -> Running {
        self.start_below(self.program())
    }

    /// Starts the gate by a command that ends in starting the program with the arguments that follow.
    pub(crate) fn start_by(&self, command: Command) -> Running {
        self.start_below(self.in_environment(command))
    }

    fn start_below(&self, mut command: Command) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut child = command
            .args(["serve", "--listen", &self.address, "--data"])
            .arg(&self.data)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut setup, mut is_up) = (None, false);
        for line in lines.map_while(Result::ok) {
            if let Some(start) = line.find("/setup/") {
                setup = Some(line[start..].trim().to_owned());
            }
            if line.starts_with("How to build") {
                is_up = true;
                break;
            }
        }
        assert!(is_up, "the gate does not start: {}", self.log());
        Running { child, setup }
    }

    /// Starts the gate for the first time, and makes the first account.
    pub(crate) fn open(&mut self) -> Running {
        let running = self.start();
        self.set_up(&running);
        running
    }

    pub(crate) fn set_up(&mut self, running: &Running) {
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let path = running.setup.as_ref().expect("nobody has an account yet");
        let answer = self.ask("POST", path, form, b"login=operator&password=correct+horse+battery").unwrap();
        let text = answer.text();
        assert_eq!(answer.status, 200, "{text}");
        let start = text.find("cratekeeper-").unwrap();
        let is_token = |it: &char| it.is_ascii_alphanumeric() || *it == '-';
        self.token = text[start..].chars().take_while(is_token).collect();
    }

    /// What gates of this place wrote to their log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Asks over a connection of its own. An answer that is cut off is an error.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        // What is refused early need not be read to its end.
        let _ = stream.write_all(&self.request(method, path, headers, body));
        answer(stream)
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n",
            self.address
        );
        [head.as_bytes(), body].concat()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").unwrap()
    }

    /// Asks with the token of the first account.
    #[track_caller]
    pub(crate) fn administer(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = format!("authorization: {}\r\ncontent-type: application/json\r\n", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &headers, body.as_bytes()).unwrap()
    }

    /// The whole request that publishes a version.
    pub(crate) fn publish_request(&self, version: &Sample) -> Vec<u8> {
        let metadata = json!({
            "name": version.name, "vers": version.number, "deps": [], "features": {}, "authors": [],
            "license": "MIT", "description": "for tests",
        })
        .to_string();
        let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
        body.extend(metadata.as_bytes());
        body.extend(u32::try_from(version.bytes.len()).unwrap().to_le_bytes());
        body.extend(&version.bytes);
        let headers = format!("authorization: {}\r\n", self.token);
        self.request("PUT", "/api/v1/crates/new", &headers, &body)
    }

    pub(crate) fn publish(&self, version: &Sample) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        let _ = stream.write_all(&self.publish_request(version));
        answer(stream)
    }

    /// The line of a hosted version in the index, if it is there.
    pub(crate) fn line(&self, version: &Sample) -> Option<Value> {
        let answer = self.get(&format!("/index/{}", version.index_path()));
        assert!(matches!(answer.status, 200 | 404), "{} {}", answer.status, answer.text());
        let text = answer.text();
        let lines = text.lines().filter(|_| answer.status == 200);
        let mut read = lines.map(|it| serde_json::from_str::<Value>(it).expect("an index has whole lines"));
        read.find(|it| it["vers"] == version.number)
    }

    pub(crate) fn download(&self, version: &Sample) -> io::Result<Answer> {
        self.ask("GET", &format!("/api/v1/crates/{}/{}/download", version.name, version.number), "", b"")
    }

    /// A version is in the index, and its bytes are those that were published.
    #[track_caller]
    pub(crate) fn has_whole(&self, version: &Sample) {
        let line = self.line(version).unwrap_or_else(|| panic!("{version:?} is not in the index"));
        assert_eq!(line["cksum"].as_str(), Some(version.checksum().as_str()), "{version:?}");
        let answer = self.download(version).unwrap();
        assert_eq!(answer.status, 200, "{version:?}: {}", answer.text());
        assert_eq!(Checksum::of(&answer.body).to_string(), version.checksum(), "{version:?}");
    }

    /// The state of a hosted version; `None` when there is no such version.
    #[track_caller]
    pub(crate) fn state(&self, version: &Sample) -> Option<String> {
        let path = format!("/admin/v1/versions/hosted/{}/{}", version.name, version.number);
        let answer = self.administer("GET", &path, &Value::Null);
        if answer.status == 404 {
            return None;
        }
        Some(answer.json()["version"]["standing"]["state"].as_str().unwrap().to_owned())
    }

    /// Waits until everything is inspected.
    #[track_caller]
    pub(crate) fn settle(&self) {
        self.until("inspections end", || {
            let status = self.administer("GET", "/admin/v1/status", &Value::Null);
            let jobs = status.json()["jobs"].as_array().unwrap().clone();
            jobs.iter().all(|it| it["open"] == 0)
        });
    }

    /// Waits for something that happens by itself.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < PATIENCE * 2, "waited in vain until {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has the audit log verified by the program.
    #[track_caller]
    pub(crate) fn verify_audit_log(&self, place: &[&str]) {
        let output = self.program().args(["audit-log", "verify"]).args(place).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!said.starts_with("0 entries"), "{said}");
    }

    pub(crate) fn data(&self) -> &str {
        self.data.to_str().unwrap()
    }

    /// Numbers of this name for Prometheus.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find_map(|it| it.strip_prefix(&format!("cratekeeper_{name}_total ")));
        line.unwrap_or_else(|| panic!("no `{name}` in {text}")).parse().unwrap()
    }
}

/// Reads an answer to its end.
pub(crate) fn answer(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let result = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(result.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = bytes.split_off(end + 4);
    let length =
        head.lines().find_map(|it| it.strip_prefix("content-length: ")).map(|it| it.parse().unwrap());
    if length.is_some_and(|length: usize| body.len() != length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Ok(Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, body })
}

/// A version that is made up: harmless, and like no other.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.number)
    }
}

impl Sample {
    /// A version of a new crate with about `size` bytes of text that nothing compresses well.
    pub(crate) fn new(random: &mut Rng, size: usize) -> Sample {
        let name: String = (0..12).map(|_| random.lowercase()).collect();
        Sample::of(random, &name, "1.0.0", size)
    }

    pub(crate) fn of(random: &mut Rng, name: &str, number: &str, size: usize) -> Sample {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{number}\"\nedition = \"2021\"\nlicense = \"MIT\"\ndescription = \"for tests\"\n"
        );
        let code = format!("pub fn {}() -> u32 {{ {} }}\n", &name[..8], random.u32(..));
        let text: String =
            (0..size).map(|at| if at % 80 == 79 { '\n' } else { random.alphanumeric() }).collect();
        let bytes = CrateBuilder::new(name, number)
            .file("Cargo.toml", manifest)
            .file("src/lib.rs", code)
            .file("notes.txt", text)
            .build();
        Sample { name: name.to_owned(), number: number.to_owned(), bytes }
    }

    pub(crate) fn checksum(&self) -> String {
        Checksum::of(&self.bytes).to_string()
    }

    pub(crate) fn index_path(&self) -> String {
        format!("{}/{}/{}", &self.name[..2], &self.name[2..4], self.name)
    }

    /// Where the file store of a gate has its bytes.
    pub(crate) fn file_in(&self, archives: &Path) -> PathBuf {
        let checksum = self.checksum();
        archives.join("archives").join(&checksum[..2]).join(format!("{checksum}.crate"))
    }
}
