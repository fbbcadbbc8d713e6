//! A mail server on loopback that takes what it is given, for tests. Nothing leaves this machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

/// The server.
pub(crate) struct PostOffice {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<Arrived>>>,
    refuses: Arc<AtomicBool>,
    is_open: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl PostOffice {
    /// Opens it at any port.
    pub(crate) fn open() -> PostOffice {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut office = PostOffice {
            address: listener.local_addr().unwrap(),
            mails: Arc::default(),
            refuses: Arc::default(),
            is_open: Arc::default(),
            thread: None,
        };
        office.serve(listener);
        office
    }

    fn serve(&mut self, listener: TcpListener) {
        self.is_open.store(true, Ordering::Release);
        let (mails, refuses, is_open) = (self.mails.clone(), self.refuses.clone(), self.is_open.clone());
        self.thread = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !is_open.load(Ordering::Acquire) {
                    return;
                }
                let _ = talk(&stream, &mails, refuses.load(Ordering::Acquire));
            }
        }));
    }

    /// Closes it: connections are refused.
    pub(crate) fn close(&mut self) {
        self.is_open.store(false, Ordering::Release);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }

    /// Opens it again, at the same port.
    pub(crate) fn open_again(&mut self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }

    /// Whether recipients are refused for good.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Release);
    }

    pub(crate) fn mails(&self) -> Vec<Arrived> {
        self.mails.lock().unwrap().clone()
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

/// As much of the protocol as a client needs (RFC 5321).
fn talk(stream: &TcpStream, mails: &Mutex<Vec<Arrived>>, refuses: bool) -> std::io::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    let mut to = Vec::new();
    answers.write_all(b"220 post office\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        let upper = command.to_uppercase();
        let answer: &[u8] = match () {
            () if upper.starts_with("EHLO") => b"250-post office\r\n250 8BITMIME\r\n",
            () if upper.starts_with("RCPT") && refuses => b"550 nobody of this name lives here\r\n",
            () if upper.starts_with("RCPT") => {
                to.push(command.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                b"250 good\r\n"
            }
            () if upper == "DATA" => {
                answers.write_all(b"354 go on\r\n")?;
                let text = data(&mut lines)?;
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                let mail = |to: &String| Arrived {
                    to: to.clone(),
                    head: head.to_owned(),
                    body: decoded(head, body),
                };
                mails.lock().unwrap().extend(to.iter().map(mail));
                to.clear();
                b"250 taken\r\n"
            }
            () if upper == "QUIT" => {
                answers.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            () => b"250 good\r\n",
        };
        answers.write_all(answer)?;
    }
}

fn data(lines: &mut BufReader<&TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if line == ".\r\n" || line.is_empty() {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
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
