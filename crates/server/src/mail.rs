//! Mail: how it leaves, and the jobs that send it.
//!
//! A mail is written by the transaction that it is about and sent here, over one connection each: a gate sends few. To one address no more than so many
//! leave within an hour, whoever asks. What a server refuses for good is given up at once; everything else is tried again.
//!
//! The password is read from its file when the gate is opened. It is in no log, and neither are addresses.

mod transport;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cratekeeper_store::{Lease, MAIL, Mail, MailId, MailState, StoreError};
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use serde_json::Value;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::configuration::MailConfiguration;
use crate::error::with_sources;
use crate::gate::Gate;
use crate::outgoing::{Ended, Outgoing};
use crate::refusal::harmless;

use self::transport::Transport;

/// Longest address, in bytes (RFC 5321, 4.5.3.1.3, without the brackets).
const ADDRESS: usize = 254;

/// Seconds in which mails to one address are counted.
const HOUR: i64 = 60 * 60;

/// What a body is sealed for.
pub(crate) const SEALED: &str = "body of a mail";

/// Sends mail.
pub(crate) struct Mailer {
    transport: Transport,
    from: Mailbox,
    /// What stands behind the `@` of the numbers of mails.
    host: String,
    per_hour: u64,
}

/// Mail cannot be sent as it is set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The file with the password cannot be read.
    #[error("failed to read the password for mail from `{}`", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file with the certificate authority cannot be read.
    #[error("failed to read the certificate authority of the mail server from `{}`", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error("failed to set up mail: {0}")]
    Transport(String),
    /// The sender is no address.
    #[error("failed to set up mail: `from` is no address like `Gate <gate@example.com>`")]
    From,
}

impl Mailer {
    /// Sets up sending, for a gate of this URL. No connection is made.
    pub(crate) fn open(configuration: &MailConfiguration, url: &str) -> Result<Mailer, MailError> {
        let host = url.parse::<url::Url>().ok().and_then(|it| it.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let mut credentials = None;
        if let (Some(user), Some(path)) = (&configuration.user, &configuration.password_file) {
            let password = std::fs::read_to_string(path)
                .map_err(|source| MailError::Password { path: path.clone(), source })?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            credentials = Some(Credentials::new(user.clone(), password));
        }
        let authority = configuration.certificate_authority.as_deref().map(read_authority).transpose()?;
        let hello = ClientId::Domain(host.clone());
        let transport = Transport::new(configuration, authority.as_deref(), hello, credentials)
            .map_err(|error| MailError::Transport(with_sources(&error)))?;
        let from = configuration.from.parse().map_err(|_| MailError::From)?;
        Ok(Mailer { transport, from, host, per_hour: configuration.per_hour.into() })
    }

    fn message(&self, mail: &Mail, body: String) -> Result<Message, String> {
        let to: Address = mail.address.parse().map_err(|_| "the address cannot be written to".to_owned())?;
        // The same number however often it is sent: mail programs show it once.
        let number = format!("<mail-{}@{}>", mail.id, self.host);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(harmless(&mail.subject, 500))
            .message_id(Some(number))
            .header(ContentType::TEXT_PLAIN)
            .body(body);
        let mut message = message.map_err(|error| with_sources(&error))?;
        // Answers by programs that are away go nowhere (RFC 3834).
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message)
    }
}

/// The text of a file with certificates.
fn read_authority(path: &Path) -> Result<Vec<u8>, MailError> {
    let failed = |source| MailError::Authority { path: path.to_owned(), source };
    let text = std::fs::read(path).map_err(failed)?;
    match CertificateDer::pem_slice_iter(&text).next() {
        Some(Ok(_)) => Ok(text),
        _ => {
            Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, "it has no certificate in PEM")))
        }
    }
}

/// An address that somebody gives: printable ASCII without quotes, comments and lists, which mail programs read differently.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let is_plain = |it: char| it.is_ascii_graphic() && !"\"\\<>()[],;:".contains(it);
    let is_one = text.len() <= ADDRESS && text.chars().all(is_plain);
    is_one.then(|| text.parse::<Address>().ok()).flatten().map(|it| it.to_string())
}

/// Mails, as they are sent.
pub(crate) struct Mails;

impl Outgoing for Mails {
    const JOB: &'static str = MAIL;
    const CALLED: &'static str = "mail";
    // One after the other, so that what was sent to an address is known before the next is.
    const AT_ONCE: usize = 1;

    async fn attempt(gate: &Arc<Gate>, lease: &Lease) -> Result<Ended, String> {
        gate.send_mail(lease).await
    }

    async fn give_up(gate: &Arc<Gate>, lease: &Lease) -> Result<(), StoreError> {
        if let Some(id) = mail_of(lease) {
            let answer = "whoever sent it ended, each time";
            gate.store.record_mail(id, MailState::GivenUp, answer, gate.now()).await?;
        }
        gate.store.complete_job(lease).await.map(|_| ())
    }
}

fn mail_of(lease: &Lease) -> Option<MailId> {
    lease.payload.get("mail_id").and_then(Value::as_i64).map(MailId)
}

impl Gate {
    async fn send_mail(&self, lease: &Lease) -> Result<Ended, String> {
        let text = |error: StoreError| with_sources(&error);
        let (Some(id), Some(mailer)) = (mail_of(lease), &self.mailer) else { return Ok(Ended::Done) };
        let mail = self.store.mail(id).await.map_err(text)?;
        if mail.state == MailState::Sent {
            return Ok(Ended::Done);
        }
        let at = self.now();
        let sent = self.store.sent_to(&mail.address, at.saturating_sub(HOUR), mailer.per_hour).await;
        let sent = sent.map_err(text)?;
        if let Some(oldest) = sent.last().filter(|_| sent.len() as u64 >= mailer.per_hour) {
            return Ok(Ended::Later(oldest.saturating_add(HOUR + 1)));
        }
        let attempted = match self.body(&mail).and_then(|body| mailer.message(&mail, body)) {
            Ok(message) => mailer
                .transport
                .send(message.envelope(), &message.formatted())
                .await
                .map_err(|refused| (harmless(&refused.reason, 1_000), refused.is_final)),
            // What cannot be written today cannot be tomorrow.
            Err(reason) => Err((reason, true)),
        };
        let (state, answer) = match &attempted {
            Ok(_) => (MailState::Sent, String::new()),
            Err((reason, is_final)) if *is_final || lease.is_last() => (MailState::GivenUp, reason.clone()),
            Err((reason, _)) => (MailState::Waiting, reason.clone()),
        };
        self.store.record_mail(id, state, &answer, at).await.map_err(text)?;
        match attempted {
            Ok(_) => Ok(Ended::Done),
            // The mail itself says so, and can be sent again; its job has nothing to add.
            Err((_, is_final)) if is_final || lease.is_last() => {
                tracing::warn!(mail = id.0, "a mail was given up");
                Ok(Ended::Done)
            }
            // Answers of servers repeat addresses; who may see them sees them with the mail.
            Err(_) => Err(format!("mail {id} was not taken")),
        }
    }

    fn body(&self, mail: &Mail) -> Result<String, String> {
        if !mail.sealed {
            return Ok(mail.body.clone());
        }
        let opened = self.sealing.unseal(SEALED, &mail.body).map_err(|error| error.to_string())?;
        String::from_utf8(opened).map_err(|_| "the text that was sealed is no text".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::MailEncryption;

    #[test]
    fn an_address_is_one_and_nothing_else() {
        assert_eq!(
            address(" alice+crates@example.invalid ").as_deref(),
            Some("alice+crates@example.invalid")
        );
        for odd in [
            "",
            "alice",
            "alice@",
            "@example.invalid",
            "alice@example.invalid, bob@example.invalid",
            "Alice <alice@example.invalid>",
            "alice@example.invalid\r\nBcc: bob@example.invalid",
            "\"a b\"@example.invalid",
            "al\u{202e}ice@example.invalid",
            "älice@example.invalid",
        ] {
            assert_eq!(address(odd), None, "{odd:?}");
        }
        assert_eq!(address(&format!("{}@example.invalid", "a".repeat(300))), None);
    }

    #[test]
    fn a_message_has_the_headers_that_we_gave_it() {
        let configuration = MailConfiguration {
            server: "127.0.0.1".to_owned(),
            encryption: MailEncryption::None,
            from: "Gate <gate@example.invalid>".to_owned(),
            ..MailConfiguration::default()
        };
        let mailer = Mailer::open(&configuration, "https://gate.example.invalid:8420").unwrap();
        let mail = Mail {
            id: MailId(7),
            user: cratekeeper_store::UserId(1),
            address: "alice@example.invalid".to_owned(),
            kind: "held".to_owned(),
            subject: "a subject\r\nBcc: bob@example.invalid \u{202e}ü".to_owned(),
            body: String::new(),
            sealed: false,
            state: MailState::Waiting,
            attempts: 0,
            answer: None,
            actor: "operator".to_owned(),
            created_at: 0,
            finished_at: None,
        };
        let message = mailer.message(&mail, "a text\n.\nwith a full stop\n".to_owned()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|it| it.to_lowercase().starts_with("bcc")), "{head}");
        assert!(head.contains("Message-ID: <mail-7@gate.example.invalid>"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        assert_eq!(message.envelope().to().len(), 1);
    }

    #[test]
    fn a_password_is_in_no_debug_form() {
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), "open sesame\n").unwrap();
        let configuration = MailConfiguration {
            server: "127.0.0.1".to_owned(),
            from: "gate@example.invalid".to_owned(),
            user: Some("gate".to_owned()),
            password_file: Some(path.path().to_owned()),
            ..MailConfiguration::default()
        };
        assert!(Mailer::open(&configuration, "http://127.0.0.1").is_ok());
        assert!(!format!("{configuration:?}").contains("sesame"));
        let missing = MailConfiguration { password_file: Some("/nowhere".into()), ..configuration };
        assert!(matches!(Mailer::open(&missing, "x"), Err(MailError::Password { .. })));
    }

    #[test]
    fn a_file_without_certificates_is_no_certificate_authority() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let configuration = MailConfiguration {
            server: "127.0.0.1".to_owned(),
            from: "gate@example.invalid".to_owned(),
            certificate_authority: Some(file.path().to_owned()),
            ..MailConfiguration::default()
        };
        let issued = rcgen::generate_simple_self_signed(["mail.example.invalid".to_owned()]).unwrap();
        let key = issued.signing_key.serialize_pem();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "a text", &key, broken] {
            std::fs::write(file.path(), text).unwrap();
            let error = Mailer::open(&configuration, "http://127.0.0.1").err().unwrap();
            assert!(
                matches!(error, MailError::Authority { .. } | MailError::Transport(_)),
                "{text}: {error}"
            );
        }
        std::fs::write(file.path(), issued.cert.pem()).unwrap();
        assert!(Mailer::open(&configuration, "http://127.0.0.1").is_ok());
        let missing = MailConfiguration { certificate_authority: Some("/nowhere".into()), ..configuration };
        assert!(matches!(Mailer::open(&missing, "x"), Err(MailError::Authority { .. })));
    }
}
