//! Clients with connections that stay open: each asks, waits for the whole answer, and asks again.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What some clients saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Answers a second.
    pub(crate) rate: f64,
    /// How long half of the answers took at most, and 99 of 100.
    pub(crate) half: Duration,
    pub(crate) most: Duration,
}

/// How clients ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clients {
    /// How many.
    pub(crate) number: usize,
    /// Pause between an answer and the next question.
    pub(crate) pause: Duration,
    /// For how long they ask.
    pub(crate) time: Duration,
}

/// Has clients ask for these paths at an address, in turn. `headers` come with each path.
pub(crate) async fn ask(address: &str, paths: &[(String, String)], clients: Clients) -> Seen {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients.number {
        let requests: Vec<Vec<u8>> = paths
            .iter()
            .map(|(path, headers)| {
                format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n").into_bytes()
            })
            .collect();
        let address = address.to_owned();
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let mut times = Vec::new();
            // Each begins elsewhere, so that they do not ask for the same at the same time.
            let mut next = client * requests.len() / clients.number;
            while start.elapsed() < clients.time {
                let since = Instant::now();
                connection.ask(&requests[next]).await;
                times.push(since.elapsed());
                next = (next + 1) % requests.len();
                if !clients.pause.is_zero() {
                    tokio::time::sleep(clients.pause).await;
                }
            }
            times
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let time = start.elapsed();
    times.sort_unstable();
    Seen {
        rate: times.len() as f64 / time.as_secs_f64(),
        half: times[times.len() / 2],
        most: times[times.len() * 99 / 100],
    }
}

/// The entity tag of a path's answer.
pub(crate) async fn etag(address: &str, path: &str) -> String {
    let mut connection = Connection::open(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let head = connection.ask(request.as_bytes()).await;
    field(&head, "etag").unwrap_or_else(|| panic!("{path} has no entity tag: {head}")).to_owned()
}

/// Waits until a gate says that it is ready.
pub(crate) async fn ready(address: &str) {
    let request = format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\n\r\n");
    Connection::open(address).await.ask(request.as_bytes()).await;
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, buffer: Vec::with_capacity(1 << 16) }
    }

    /// Asks, and reads the whole answer. Gives its head in small letters.
    async fn ask(&mut self, request: &[u8]) -> String {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let end = loop {
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0, "the connection was closed");
            if let Some(at) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") {
                break at;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "200" | "304"), "{head}: {}", String::from_utf8_lossy(request));
        let length = field(&head, "content-length").map_or(0, |it| it.parse().unwrap());
        let length: usize = if status == "304" { 0 } else { length };
        while self.buffer.len() < end + 4 + length {
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0, "an answer was cut off");
        }
        head
    }
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
