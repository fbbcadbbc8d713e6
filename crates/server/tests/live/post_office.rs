//! A mail server on loopback that takes what it is given, for tests. Nothing leaves this machine.
//!
//! It is as good or as bad as a test wants it, and so is whoever stands between it and the gate: what is said without TLS, everybody hears.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Without TLS.
    Plain,
    /// With TLS from the first byte.
    Tls,
    /// With TLS once it is asked for.
    StartTls,
    /// As `Plain`, and says that it takes passwords: what is left of `StartTls` when somebody takes its offer away.
    Stripped,
    /// It offers TLS, and then says that it has none at the moment.
    Unwilling,
    /// It offers TLS, says that it begins, and goes on without.
    Pretending,
    /// As `StartTls`, and somebody on the way says more behind the word that TLS begins.
    Injected,
    /// It says at once that it wants nothing, for good.
    Unfriendly,
    /// As `StartTls`, and takes no password.
    Mistrusting,
}

/// Longest wait for a mail; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// The address of the envelope.
    pub(crate) to: String,
    pub(crate) head: String,
    /// The text, after its transfer encoding was undone.
    pub(crate) body: String,
}

/// Something that was said to it.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) line: String,
    /// Whether nobody else heard it.
    pub(crate) is_encrypted: bool,
}

/// What it has, and how it is.
#[derive(Default)]
struct Office {
    mails: Mutex<Vec<Arrived>>,
    said: Mutex<Vec<Said>>,
    manner: Mutex<Option<Manner>>,
    /// The certificate that it shows, and its key.
    shown: Mutex<Option<Arc<ServerConfig>>>,
    refuses: AtomicBool,
    is_open: AtomicBool,
}

/// The server.
pub(crate) struct PostOffice {
    pub(crate) address: SocketAddr,
    office: Arc<Office>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl PostOffice {
    /// Opens it at any port.
    pub(crate) fn open() -> PostOffice {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut office = PostOffice { address, office: Arc::default(), thread: None };
        office.serve(listener);
        office
    }

    fn serve(&mut self, listener: TcpListener) {
        self.office.is_open.store(true, Ordering::Release);
        let office = self.office.clone();
        self.thread = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !office.is_open.load(Ordering::Acquire) {
                    return;
                }
                let _ = office.receive(stream);
            }
        }));
    }

    /// Speaks in another manner from now on, and shows this certificate where it speaks TLS.
    pub(crate) fn speak(&self, manner: Manner, shown: &Arc<ServerConfig>) {
        *self.office.manner.lock().unwrap() = Some(manner);
        *self.office.shown.lock().unwrap() = Some(shown.clone());
    }

    /// What was said since this was asked last.
    pub(crate) fn said(&self) -> Vec<Said> {
        std::mem::take(&mut *self.office.said.lock().unwrap())
    }

    /// Closes it: connections are refused.
    pub(crate) fn close(&mut self) {
        self.office.is_open.store(false, Ordering::Release);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }

    /// Opens it again, at the same port.
    pub(crate) fn open_again(&mut self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }

    /// Whether recipients are refused for good.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.office.refuses.store(refuses, Ordering::Release);
    }

    pub(crate) fn mails(&self) -> Vec<Arrived> {
        self.office.mails.lock().unwrap().clone()
    }

    /// The mail with this number, from 1, once it is there.
    pub(crate) fn mail(&self, number: usize) -> Arrived {
        let since = Instant::now();
        loop {
            if let Some(mail) = self.mails().get(number - 1) {
                return mail.clone();
            }
            assert!(since.elapsed() < PATIENCE, "mail {number} does not come: {:#?}", self.mails());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What comes of a conversation.
enum End {
    Over,
    /// TLS begins.
    Tls,
}

impl Office {
    fn receive(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let manner = self.manner.lock().unwrap().unwrap_or(Manner::Plain);
        if manner == Manner::Unfriendly {
            stream.write_all(b"554 nothing is taken here\r\n")?;
            return Ok(());
        }
        if manner == Manner::Tls {
            let mut stream = self.encrypted(stream);
            stream.write_all(b"220 post office\r\n")?;
            return self.talk(&mut stream, manner, true).map(|_| ());
        }
        stream.write_all(b"220 post office\r\n")?;
        match self.talk(&mut stream, manner, false)? {
            End::Over => Ok(()),
            End::Tls if manner == Manner::Pretending => self.talk(&mut stream, manner, false).map(|_| ()),
            End::Tls => self.talk(&mut self.encrypted(stream), manner, true).map(|_| ()),
        }
    }

    fn encrypted(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let shown = self.shown.lock().unwrap().clone().expect("somebody said what it shows");
        StreamOwned::new(ServerConnection::new(shown).unwrap(), stream)
    }

    /// As much of the protocol as a client needs (RFC 5321, RFC 3207, RFC 4954).
    fn talk(
        &self,
        stream: &mut (impl Read + Write),
        manner: Manner,
        is_encrypted: bool,
    ) -> std::io::Result<End> {
        let mut lines = BufReader::new(stream);
        let mut to = Vec::new();
        let refuses = self.refuses.load(Ordering::Acquire);
        let has_tls = !matches!(manner, Manner::Plain | Manner::Stripped) && !is_encrypted;
        loop {
            let Some(line) = self.line(&mut lines, is_encrypted)? else { return Ok(End::Over) };
            let command = line.trim_end().to_owned();
            let upper = command.to_uppercase();
            let answer: &[u8] = match () {
                () if upper.starts_with("EHLO") && has_tls => {
                    // It says that it takes passwords here, too: who gives one here gives it to everybody.
                    b"250-post office\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
                }
                () if upper.starts_with("EHLO") => {
                    b"250-post office\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
                }
                () if upper == "STARTTLS" && manner == Manner::Unwilling => b"454 not now\r\n",
                () if upper == "STARTTLS" && has_tls => {
                    let answer: &[u8] = if manner == Manner::Injected {
                        b"220 go on\r\n250-post office\r\n250 AUTH PLAIN LOGIN\r\n"
                    } else {
                        b"220 go on\r\n"
                    };
                    lines.get_mut().write_all(answer)?;
                    return Ok(End::Tls);
                }
                () if upper.starts_with("AUTH") && manner == Manner::Mistrusting => b"535 who are you\r\n",
                () if upper.starts_with("AUTH") => b"235 welcome\r\n",
                () if upper.starts_with("RCPT") && refuses => b"550 nobody of this name lives here\r\n",
                () if upper.starts_with("RCPT") => {
                    to.push(command.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                    b"250 good\r\n"
                }
                () if upper == "DATA" => {
                    lines.get_mut().write_all(b"354 go on\r\n")?;
                    let mut text = String::new();
                    while let Some(line) = self.line(&mut lines, is_encrypted)? {
                        if line == ".\r\n" {
                            break;
                        }
                        text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    }
                    self.keep(&text, &to);
                    to.clear();
                    b"250 taken\r\n"
                }
                () if upper == "QUIT" => {
                    lines.get_mut().write_all(b"221 bye\r\n")?;
                    return Ok(End::Over);
                }
                () => b"250 good\r\n",
            };
            lines.get_mut().write_all(answer)?;
        }
    }

    fn line(&self, lines: &mut BufReader<impl Read>, is_encrypted: bool) -> std::io::Result<Option<String>> {
        let mut bytes = Vec::new();
        // Whoever begins with TLS where there is none says no text.
        lines.read_until(b'\n', &mut bytes)?;
        let line = String::from_utf8_lossy(&bytes).into_owned();
        if !line.is_empty() {
            self.said.lock().unwrap().push(Said { line: line.clone(), is_encrypted });
        }
        Ok((!line.is_empty()).then_some(line))
    }

    fn keep(&self, text: &str, to: &[String]) {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mail = |to: &String| Arrived { to: to.clone(), head: head.to_owned(), body: decoded(head, body) };
        self.mails.lock().unwrap().extend(to.iter().map(mail));
    }
}

/// Quoted-printable text as it was; other encodings that tests meet are text already.
fn decoded(head: &str, body: &str) -> String {
    if !head.to_lowercase().contains("content-transfer-encoding: quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        (rest, _) = match byte.filter(|_| *first == b'=') {
            Some(byte) => (&others[2..], bytes.push(byte)),
            None => (others, bytes.push(*first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
