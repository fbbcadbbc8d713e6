//! One connection to the mail server for each mail, from its first byte to the last (RFC 5321, RFC 3207, RFC 8314).
//!
//! The commands are the library's; how the connection is made is ours. The library keeps what it read before STARTTLS and takes it for what was said
//! behind it, so that whoever is on the way could answer in the server's place (the class of CVE-2011-0411): what it reads from here ends with each
//! line, and what was said too early is where TLS should begin. It waits without end for a server that says nothing: here each step has its time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::configuration::{MailConfiguration, MailEncryption};
use crate::error::with_sources;

/// How long a server may take over one step: to be connected to, to agree on TLS, to take a password.
const STEP: Duration = Duration::from_secs(30);

/// How long it may take to take a mail, which it may look into meanwhile.
const TAKING: Duration = Duration::from_secs(120);

/// Bytes that are read at once.
const PIECE: usize = 1_024;

/// What keeps others from what is said.
#[derive(Clone)]
enum Security {
    Tls(TlsParameters),
    StartTls(TlsParameters),
    /// Nothing. The server is on this machine.
    Loopback,
}

/// How mails get to the server.
pub(super) struct Transport {
    server: String,
    port: u16,
    hello: ClientId,
    security: Security,
    credentials: Option<Credentials>,
    step: Duration,
}

/// A mail was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: String,
    /// The server will not take this mail another time either. What happens before it heard of the mail says nothing about it: whoever is on the
    /// way could say so, and a wrong password is put right one day.
    pub(super) is_final: bool,
}

impl Refused {
    fn for_now(reason: impl Into<String>) -> Refused {
        Refused { reason: reason.into(), is_final: false }
    }
}

impl Transport {
    /// Sets up sending by a server; `authority` is the text of its certificate authority's file. No connection is made.
    pub(super) fn new(
        configuration: &MailConfiguration,
        authority: Option<&[u8]>,
        hello: ClientId,
        credentials: Option<Credentials>,
    ) -> Result<Transport, SmtpError> {
        let parameters = || {
            let mut builder = TlsParameters::builder(configuration.server.clone());
            if let Some(authority) = authority {
                // Who names one means it and no other, as with cargo's `http.cainfo`.
                builder = builder
                    .certificate_store(CertificateStore::None)
                    .add_root_certificate(Certificate::from_pem(authority)?);
            }
            builder.build_rustls()
        };
        let security = match configuration.encryption {
            MailEncryption::Tls => Security::Tls(parameters()?),
            MailEncryption::StartTls => Security::StartTls(parameters()?),
            MailEncryption::None => Security::Loopback,
        };
        let (server, port) = (configuration.server.clone(), configuration.port());
        Ok(Transport { server, port, hello, security, credentials, step: STEP })
    }

    /// Gives a mail to the server. Once it has said that it takes it, it is sent, however the connection ends.
    pub(super) async fn send(&self, envelope: &Envelope, text: &[u8]) -> Result<(), Refused> {
        let mut connection = self.connected().await?;
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.step("sign in", connection.auth(&mechanisms, credentials)).await?;
        }
        match timeout(TAKING.min(4 * self.step), connection.send(envelope, text)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                return Err(Refused { reason: with_sources(&error), is_final: error.is_permanent() });
            }
            Err(_) => return Err(Refused::for_now("the server took too long to take the mail")),
        }
        // What it says to a goodbye changes nothing.
        let _ = timeout(self.step, connection.quit()).await;
        Ok(())
    }

    /// A connection that has what was asked for, or none.
    async fn connected(&self) -> Result<AsyncSmtpConnection, Refused> {
        let place = (self.server.as_str(), self.port);
        if let Security::Tls(parameters) = &self.security {
            let (parameters, hello) = (Some(parameters.clone()), &self.hello);
            let connecting = AsyncSmtpConnection::connect_tokio1(place, None, hello, parameters, None);
            return self.step("connect", connecting).await;
        }
        let stream = match timeout(self.step, TcpStream::connect(place)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Refused::for_now(format!("failed to connect: {error}"))),
            Err(_) => return Err(self.slow("connect")),
        };
        // `localhost` is what a name server says it is.
        let is_here = stream.peer_addr().is_ok_and(|it| it.ip().to_canonical().is_loopback());
        if matches!(self.security, Security::Loopback) && !is_here {
            return Err(Refused::for_now("without encryption, mail goes to this machine only"));
        }
        let stream = Box::new(LineByLine { stream, waiting: Vec::new() });
        let connecting = AsyncSmtpConnection::connect_with_transport(stream, &self.hello);
        let mut connection = self.step("greet", connecting).await?;
        if let Security::StartTls(parameters) = &self.security {
            self.step("begin TLS", connection.starttls(parameters.clone(), &self.hello)).await?;
            if !connection.is_encrypted() {
                return Err(Refused::for_now("the connection is not encrypted"));
            }
        }
        Ok(connection)
    }

    async fn step<T>(
        &self,
        what: &str,
        doing: impl Future<Output = Result<T, SmtpError>>,
    ) -> Result<T, Refused> {
        match timeout(self.step, doing).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Refused::for_now(format!("failed to {what}: {}", with_sources(&error)))),
            Err(_) => Err(self.slow(what)),
        }
    }

    fn slow(&self, what: &str) -> Refused {
        Refused::for_now(format!("failed to {what}: the server took longer than {} s", self.step.as_secs()))
    }
}

/// A connection that gives one line at a time, so that whoever keeps what it reads keeps nothing that was said behind the line. What is no text is
/// given in pieces as they come.
#[derive(Debug)]
struct LineByLine {
    stream: TcpStream,
    waiting: Vec<u8>,
}

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() {
            let mut bytes = [0; PIECE];
            let mut piece = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
            self.waiting.extend_from_slice(piece.filled());
        }
        let line = self.waiting.iter().position(|it| *it == b'\n').map_or(self.waiting.len(), |at| at + 1);
        let count = line.min(buffer.remaining());
        buffer.put_slice(&self.waiting[..count]);
        self.waiting.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn lines_are_given_one_at_a_time_and_nothing_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut there = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = listener.accept().await.unwrap().0;
        let mut here = LineByLine { stream, waiting: Vec::new() };
        let text = [b"220 go on\r\n250 too early\r\n\n".as_slice(), &[22, 3, 10, 3, 0]].concat();
        there.write_all(&text).await.unwrap();
        there.shutdown().await.unwrap();
        // All of it is there before the first line is read.
        here.stream.readable().await.unwrap();
        let mut pieces = Vec::new();
        let mut buffer = [0; 8];
        loop {
            let count = here.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            pieces.push(buffer[..count].to_vec());
        }
        assert_eq!(pieces.concat(), text);
        let ends_early = |it: &Vec<u8>| !it[..it.len() - 1].contains(&b'\n');
        assert!(pieces.iter().all(ends_early), "{pieces:?}");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_keeps_nobody_waiting() {
        for encryption in [MailEncryption::None, MailEncryption::StartTls, MailEncryption::Tls] {
            // Connections are made, and nobody takes them.
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let configuration = MailConfiguration {
                server: "127.0.0.1".to_owned(),
                port: Some(listener.local_addr().unwrap().port()),
                encryption,
                ..MailConfiguration::default()
            };
            let hello = ClientId::Domain("gate.example.invalid".to_owned());
            let transport = Transport::new(&configuration, None, hello, None).unwrap();
            let transport = Transport { step: Duration::from_millis(50), ..transport };
            let to = vec!["alice@example.invalid".parse().unwrap()];
            let envelope = Envelope::new(Some("gate@example.invalid".parse().unwrap()), to).unwrap();
            let refused = transport.send(&envelope, b"text").await.unwrap_err();
            assert!(!refused.is_final && refused.reason.contains("took longer"), "{refused:?}");
        }
    }
}
