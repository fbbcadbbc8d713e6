//! Connections: accepted, secured, limited in number and in patience, and ended in good order.
//!
//! `axum::serve` would do but for its patience: whoever opens connections and says nothing, or asks and takes nothing, keeps them for good. So
//! this is its loop, with a limit to how many there are, and to how long handshakes, requests and clients that take their answers are waited
//! for (`progress`). What is done by a request has limits of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use cratekeeper_store::network;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower_service::Service as _;

use crate::progress::{Counted, Progress, Underway, Verdict, Watch, Watched};

/// How long clients are waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a handshake: three round trips over a bad line, many times over.
    pub(crate) handshake: Duration,
    /// For the head of a request, the first and the next of a connection that is kept.
    pub(crate) head: Duration,
    /// For the next request of a connection that speaks HTTP/2, after the answer to the one before.
    pub(crate) idle: Duration,
    /// For a client that takes next to nothing of what it asked for.
    pub(crate) stalled: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            // Cargo downloads in one go, and pages follow each other sooner or much later.
            idle: Duration::from_secs(60),
            stalled: Duration::from_secs(30),
        }
    }
}

/// The part of all connections that one address, or one network of IPv6, may have: a quarter, so that nobody alone keeps all others out.
const SHARE: usize = 4;

/// How often a client that speaks HTTP/2 is asked whether it is still there, and how long for its answer is waited.
const ASK_EVERY: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(20);

/// Pause after a connection could not be accepted for want of something on this machine, such as file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// What a client that speaks HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
}

/// A connection that something can be asked over.
enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

/// What all connections have in common.
pub(crate) struct Connections {
    pub(crate) router: Router,
    pub(crate) acceptor: Option<TlsAcceptor>,
    /// At the same time.
    pub(crate) limit: usize,
    /// Whether an address is that of a proxy that is trusted now. Those behind it have no other address: they may have as many as there are.
    pub(crate) is_trusted: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    pub(crate) patience: Patience,
}

/// Connections that are open, by address.
#[derive(Debug, Default)]
struct Open(Mutex<HashMap<IpAddr, usize>>);

/// A place among those of an address, until it is dropped.
struct Place {
    open: Arc<Open>,
    address: IpAddr,
}

impl Open {
    /// `None` when the address has as many as it may have.
    fn place(self: &Arc<Open>, address: IpAddr, share: usize) -> Option<Place> {
        // It is whole after each change, so a panic elsewhere does not matter.
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= share {
            return None;
        }
        *count += 1;
        Some(Place { open: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// Requests at the same time on one connection. Cargo asks for two at a time unless told otherwise, and never for more than a hundred.
const STREAMS: u32 = 100;

impl Connections {
    /// Accepts until `stop` is ready; then waits for what is under way, at most for `grace`. Gives whether all ended by themselves.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) -> bool {
        let connections = Arc::new(self);
        let places = Arc::new(Semaphore::new(connections.limit));
        let (ending, ended) = watch::channel(());
        // Says that all connections have ended: nothing is ever sent.
        let (open, mut all_ended) = mpsc::channel::<()>(1);
        let by_address = Arc::new(Open::default());
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut stop => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(share) = connections.share(&by_address, peer) else {
                        tracing::debug!(%peer, "an address has too many connections");
                        continue;
                    };
                    let connections = connections.clone();
                    let (mut ended, open) = (ended.clone(), open.clone());
                    tokio::spawn(async move {
                        let _places = (place, share, open);
                        let begun = tokio::select! {
                            // Whoever has not begun with a request has nothing that is waited for.
                            _ = ended.changed() => return,
                            begun = connections.begin(stream, peer) => begun,
                        };
                        if let Some((stream, speaks)) = begun {
                            connections.answer(stream, peer, speaks, ended).await;
                        }
                    });
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::error!("failed to accept a connection: {error}");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        drop((listener, ending, open));
        timeout(grace, all_ended.recv()).await.is_ok()
    }

    /// A place for one more of this address; those of this machine and of trusted proxies are everybody's.
    fn share(&self, open: &Arc<Open>, peer: SocketAddr) -> Option<Option<Place>> {
        let address = peer.ip().to_canonical();
        if address.is_loopback() || (self.is_trusted)(address) {
            return Some(None);
        }
        open.place(network(address), (self.limit / SHARE).max(1)).map(Some)
    }

    /// What a connection is: secured where it has to be, and the protocol that it speaks. `None` when it comes to nothing.
    async fn begin(&self, stream: TcpStream, peer: SocketAddr) -> Option<(Stream, Speaks)> {
        // Answers are written whole; to wait for more to send would delay each by up to 40 ms.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.acceptor else {
            return match timeout(self.patience.head, spoken(&stream)).await {
                Ok(Ok(speaks)) => Some((Stream::Plain(stream), speaks)),
                Ok(Err(_)) | Err(_) => {
                    tracing::debug!(%peer, "a connection said nothing");
                    None
                }
            };
        };
        match timeout(self.patience.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let speaks = if is_http2 { Speaks::Http2 } else { Speaks::Http1 };
                Some((Stream::Secured(Box::new(stream)), speaks))
            }
            Ok(Err(error)) => {
                tracing::debug!(%peer, "a handshake failed: {error}");
                None
            }
            Err(_) => {
                tracing::debug!(%peer, "a handshake took too long");
                None
            }
        }
    }

    /// Answers requests until the connection ends.
    async fn answer(&self, stream: Stream, peer: SocketAddr, speaks: Speaks, ending: watch::Receiver<()>) {
        match stream {
            Stream::Plain(stream) => self.converse(stream, peer, speaks, ending).await,
            Stream::Secured(stream) => self.converse(stream, peer, speaks, ending).await,
        }
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        peer: SocketAddr,
        speaks: Speaks,
        mut ending: watch::Receiver<()>,
    ) {
        let progress = Arc::new(Progress::default());
        let service = {
            let (router, progress) = (self.router.clone(), progress.clone());
            service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                let underway = (speaks == Speaks::Http2).then(|| Underway::begin(&progress));
                // A router is always ready.
                let answer = router.clone().call(request.map(Body::new));
                async move {
                    let answer = answer.await?;
                    Ok::<_, Infallible>(match underway {
                        Some(underway) => answer.map(|body| Body::new(Watched { body, underway })),
                        None => answer,
                    })
                }
            })
        };
        let builder = self.builder(speaks);
        let stream = TokioIo::new(Counted::new(stream, progress.clone()));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let mut watch = Watch::new(progress, speaks, self.patience);
        let mut is_ending = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, "a connection ended: {error}");
                    }
                    return;
                }
                _ = ending.changed(), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                verdict = watch.look() => match verdict {
                    Verdict::Wait => {}
                    Verdict::LetGo => connection.as_mut().graceful_shutdown(),
                    Verdict::End => {
                        tracing::debug!(%peer, "a client takes nothing of what it asked for, or does not go");
                        return;
                    }
                },
            }
        }
    }

    fn builder(&self, speaks: Speaks) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.patience.head);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(ASK_EVERY)
            .keep_alive_timeout(ANSWER)
            .max_concurrent_streams(STREAMS);
        match speaks {
            Speaks::Http1 => builder.http1_only(),
            Speaks::Http2 => builder.http2_only(),
        }
    }
}

/// Looks at the first bytes without taking them: without TLS, a client that speaks HTTP/2 says so by them.
async fn spoken(stream: &TcpStream) -> std::io::Result<Speaks> {
    let mut first = [0_u8; PREFACE.len()];
    loop {
        let length = stream.peek(&mut first).await?;
        if length == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if !PREFACE.starts_with(&first[..length]) {
            return Ok(Speaks::Http1);
        }
        if length == PREFACE.len() {
            return Ok(Speaks::Http2);
        }
        // Part of it: what was peeked at is there again at once, so there is nothing to wait for but time.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::extract::Path;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LARGE: usize = 64 << 20;

    struct Served {
        address: SocketAddr,
        seen: Arc<Mutex<Vec<String>>>,
        stop: tokio::sync::oneshot::Sender<()>,
        ended: tokio::task::JoinHandle<bool>,
    }

    async fn serve(limit: usize) -> Served {
        serve_by(None, limit, Patience::default()).await
    }

    async fn serve_by(acceptor: Option<TlsAcceptor>, limit: usize, patience: Patience) -> Served {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let router = {
            let seen = seen.clone();
            let note = move |Path(name): Path<String>, ConnectInfo(peer): ConnectInfo<SocketAddr>| {
                assert!(peer.ip().is_loopback());
                seen.lock().unwrap().push(name);
                std::future::ready("seen")
            };
            // More than fits into the buffers of both sides.
            let large = || std::future::ready(Bytes::from(vec![b'x'; LARGE]));
            Router::new().route("/{name}", get(note)).route("/large/{name}", get(large))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let connections = Connections { router, acceptor, limit, is_trusted: Box::new(|_| false), patience };
        let ended = tokio::spawn(connections.serve(listener, stopped, Duration::from_secs(60)));
        Served { address, seen, stop, ended }
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_its_turn() {
        let served = serve(1).await;
        let mut first = TcpStream::connect(served.address).await.unwrap();
        first.write_all(b"GET /first HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        let mut second = TcpStream::connect(served.address).await.unwrap();
        second.write_all(b"GET /second HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        // Long enough for the second to be seen first, if it were let in.
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.write_all(b"connection: close\r\n\r\n").await.unwrap();
        for stream in [&mut first, &mut second] {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        assert_eq!(*served.seen.lock().unwrap(), ["first", "second"]);
    }

    #[tokio::test]
    async fn both_protocols_are_understood_without_tls() {
        let served = serve(8).await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let (half, rest) = PREFACE.split_at(9);
        stream.write_all(half).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        stream.write_all(rest).await.unwrap();
        // An empty frame of settings, to which settings come back: type 4 in the fourth byte (RFC 9113, section 4.1).
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4);
    }

    #[tokio::test]
    async fn an_end_waits_for_requests_and_not_for_silence() {
        let served = serve(8).await;
        let silent = TcpStream::connect(served.address).await.unwrap();
        let mut kept = TcpStream::connect(served.address).await.unwrap();
        kept.write_all(b"GET /kept HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut some = [0; 12];
        kept.read_exact(&mut some).await.unwrap();
        assert_eq!(&some, b"HTTP/1.1 200");
        served.stop.send(()).unwrap();
        assert!(served.ended.await.unwrap(), "all ended by themselves");
        drop((silent, kept));
    }

    #[tokio::test]
    async fn whoever_says_nothing_or_half_of_it_is_not_kept() {
        let short = Duration::from_millis(20);
        let patience = Patience { handshake: short, head: short, ..Patience::default() };
        let (certificates, _) = certificates();
        let secured = serve_by(Some(certificates.acceptor().unwrap()), 8, patience).await;
        let plain = serve_by(None, 8, patience).await;
        // The first bytes of a TLS record of a handshake, of HTTP/2 and of a head, and nothing after them.
        let beginnings: [(SocketAddr, &[u8]); 6] = [
            (plain.address, b""),
            (plain.address, b"PRI * H"),
            (plain.address, b"GET /half HTTP/1.1\r\nhost"),
            (secured.address, b""),
            (secured.address, b"\x16\x03\x01\x02"),
            (secured.address, b"GET / HTTP/1.1\r\n\r\n"),
        ];
        for (address, beginning) in beginnings {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(beginning).await.unwrap();
            let mut answer = Vec::new();
            // It ends, one way or the other, without having been answered.
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(beginning));
        }
        assert!(plain.seen.lock().unwrap().is_empty() && secured.seen.lock().unwrap().is_empty());
    }

    /// A frame of HTTP/2 (RFC 9113, section 4.1).
    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// A request for a path, whole in one frame (RFC 7541: `GET` and `http` by their numbers, the others by their names' numbers).
    fn asks_for(path: &str, stream: u32) -> Vec<u8> {
        let length = u8::try_from(path.len()).unwrap();
        let head = [&[0x82, 0x86, 0x04, length], path.as_bytes(), &[0x01, 1, b'x']].concat();
        frame(1, 0b101, stream, &head)
    }

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;

    /// Reads until the connection ends; answers nothing but pings.
    async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
        let mut kinds = Vec::new();
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                break;
            }
            if head[3] == PING && head[4] == 0 {
                let _ = stream.write_all(&frame(PING, 1, 0, &payload)).await;
            }
            kinds.push(head[3]);
        }
        kinds
    }

    #[tokio::test]
    async fn an_idle_connection_of_http2_is_let_go() {
        let short = Duration::from_millis(50);
        let served = serve_by(None, 8, Patience { head: short, idle: short, ..Patience::default() }).await;
        let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
        for asked in [Vec::new(), asks_for("/asked", 1)] {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(&[hello.as_slice(), &asked].concat()).await.unwrap();
            let kinds = read_to_end(&mut stream).await;
            // It is told so, and what it asked for was answered.
            assert!(kinds.contains(&7), "{kinds:?}");
            assert_eq!(kinds.contains(&0), !asked.is_empty(), "{kinds:?}");
        }
        assert_eq!(*served.seen.lock().unwrap(), ["asked"]);
    }

    #[tokio::test]
    async fn whoever_takes_nothing_of_an_answer_is_ended() {
        let short = Duration::from_millis(50);
        let served = serve_by(None, 8, Patience { stalled: short, ..Patience::default() }).await;
        let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
        // It reads and answers pings, and allows no more than the first 64 KiB of the body.
        let mut polite = TcpStream::connect(served.address).await.unwrap();
        polite.write_all(&[hello.as_slice(), &asks_for("/large/polite", 1)].concat()).await.unwrap();
        let kinds = read_to_end(&mut polite).await;
        assert!(kinds.contains(&0), "{kinds:?}");
        // It does not read at all.
        let mut deaf = TcpStream::connect(served.address).await.unwrap();
        deaf.write_all(b"GET /large/deaf HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        // Nothing can be written any more once the other side is gone.
        while deaf.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut rest = Vec::new();
        let _ = deaf.read_to_end(&mut rest).await;
        assert!(rest.len() < LARGE);
        // One that reads slowly gets all of it.
        let served =
            serve_by(None, 8, Patience { stalled: Duration::from_secs(5), ..Patience::default() }).await;
        let mut slow = TcpStream::connect(served.address).await.unwrap();
        slow.write_all(b"GET /large/slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let (mut all, mut some) = (0, vec![0; 1 << 20]);
        loop {
            match slow.read(&mut some).await.unwrap() {
                0 => break,
                count => all += count,
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(all > LARGE);
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        let open = Arc::new(Open::default());
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let places: Vec<Option<Place>> = (0..3).map(|_| open.place(one, 2)).collect();
        assert_eq!(places.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
        assert!(open.place(other, 2).is_some());
        drop(places);
        assert!(open.0.lock().unwrap().is_empty(), "what is over is forgotten");
    }

    #[test]
    fn a_proxy_that_comes_to_be_trusted_may_have_all_there_is() {
        let trusted = Arc::new(Mutex::new(Vec::<IpAddr>::new()));
        let connections = Connections {
            router: Router::new(),
            acceptor: None,
            limit: 4,
            is_trusted: {
                let trusted = trusted.clone();
                Box::new(move |address| trusted.lock().unwrap().contains(&address))
            },
            patience: Patience::default(),
        };
        let open = Arc::new(Open::default());
        let proxy: SocketAddr = "192.0.2.1:9".parse().unwrap();
        let first = connections.share(&open, proxy);
        assert!(first.is_some() && connections.share(&open, proxy).is_none());
        trusted.lock().unwrap().push(proxy.ip());
        assert!(connections.share(&open, proxy).is_some());
    }

    fn certificates() -> (Arc<crate::certificates::Certificates>, rcgen::Certificate) {
        let directory = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = crate::configuration::Tls {
            certificate: directory.path().join("chain.pem"),
            key: directory.path().join("key.pem"),
        };
        std::fs::write(&files.certificate, issued.cert.pem()).unwrap();
        std::fs::write(&files.key, issued.signing_key.serialize_pem()).unwrap();
        (Arc::new(crate::certificates::Certificates::read(&files).unwrap()), issued.cert)
    }

    #[tokio::test]
    async fn clients_choose_the_protocol_of_a_secured_connection() {
        use tokio_rustls::rustls::pki_types::ServerName;
        use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
        let (certificates, own) = certificates();
        let served = serve_by(Some(certificates.acceptor().unwrap()), 8, Patience::default()).await;

        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        for (offered, chosen) in [
            (vec![b"h2".to_vec(), b"http/1.1".to_vec()], Some(b"h2".as_slice())),
            (vec![b"http/1.1".to_vec()], Some(b"http/1.1".as_slice())),
            (Vec::new(), None),
        ] {
            let mut config = config.clone();
            config.alpn_protocols = offered;
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let stream = TcpStream::connect(served.address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let mut stream = connector.connect(name, stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
            if chosen != Some(b"h2") {
                stream.write_all(b"GET /it HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
                let mut some = [0; 12];
                stream.read_exact(&mut some).await.unwrap();
                assert_eq!(&some, b"HTTP/1.1 200");
            }
        }
        // Whoever speaks no TLS is not answered, and keeps nobody else out.
        let mut plain = TcpStream::connect(served.address).await.unwrap();
        plain.write_all(b"GET /it HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1"));
    }
}
