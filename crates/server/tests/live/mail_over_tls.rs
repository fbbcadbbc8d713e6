//! Mail over TLS: what arrives, and everything that a server, or somebody between it and the gate, could do instead. What cannot be sent in secret is
//! not sent, waits, and says why.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cratekeeper_server::{MailConfiguration, MailEncryption};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::owners::{START, account, give_address, mails, wait_until};
use crate::post_office::{Manner, PostOffice};
use crate::surfing::Surfer;
use crate::world::{PASSWORD, World};

const SECRET: &str = "open sesame";

/// Seconds after which everything that waits is tried again.
const LATER: i64 = 8 * 60 * 60;

/// Who issues certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name, which ends with a year.
fn certificate(authority: &Authority, name: &str, until: i32) -> Arc<ServerConfig> {
    let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2000, 1, 1);
    parameters.not_after = date_time_ymd(until, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    Arc::new(config.unwrap())
}

/// A gate whose mail goes there, with a password.
fn world(office: &PostOffice, encryption: MailEncryption, files: &Path, trusts: Option<&Authority>) -> World {
    let password = files.join("password");
    std::fs::write(&password, SECRET).unwrap();
    let path = files.join("authority.pem");
    World::open(START, |it| {
        it.mail = Some(MailConfiguration {
            server: office.address.ip().to_string(),
            port: Some(office.address.port()),
            encryption,
            certificate_authority: trusts.map(|authority| {
                std::fs::write(&path, authority.pem()).unwrap();
                path
            }),
            from: "Gate <gate@example.invalid>".to_owned(),
            user: Some("gate".to_owned()),
            password_file: Some(password),
            per_hour: 100,
        });
        it.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
}

/// Has a mail sent.
fn write(world: &World) {
    account(world, "alice");
    let mut alice = Surfer::signed_in_at(world, "10.0.0.1", "alice", PASSWORD);
    assert_eq!(give_address(&mut alice, "alice@example.invalid", PASSWORD).status, 303);
}

/// The mail is tried once more and not sent: nobody heard the password or the mail, it waits, and people are told why.
fn is_kept(world: &World, office: &PostOffice, what: &str, why: &str) {
    office.said();
    let attempts = |world: &World| mails(world)["mails"][0]["attempts"].as_u64().unwrap_or(0);
    let before = attempts(world);
    world.clock.fetch_add(LATER, Ordering::AcqRel);
    wait_until("an attempt that fails", || attempts(world) > before);
    let state = mails(world);
    assert_eq!((&state["waiting"], &state["sent"]), (&1.into(), &0.into()), "{what}: {state:#}");
    assert!(office.mails().is_empty(), "{what}");
    for said in office.said() {
        let upper = said.line.to_uppercase();
        let is_mail = ["AUTH", "MAIL", "RCPT", "DATA"].iter().any(|it| upper.starts_with(it));
        assert!(!is_mail || said.is_encrypted, "{what}: {said:?}");
        // As AUTH PLAIN and AUTH LOGIN write the password.
        let is_password =
            said.line.contains("AGdhdGUAb3BlbiBzZXNhbWU=") || said.line.contains("b3BlbiBzZXNhbWU=");
        assert!(said.is_encrypted || !is_password, "{what}: {said:?}");
        assert!(!said.line.contains("alice") && !said.line.contains("sesame"), "{what}: {said:?}");
    }
    // Sessions end within those hours.
    let mut operator = Surfer::signed_in_at(world, "10.0.0.2", "operator", PASSWORD);
    let page = operator.get("/console/system");
    assert!(page.body.contains(why), "{what}: {}", page.body);
    assert!(!page.body.contains("sesame"), "{what}");
}

/// A server that is the right one and takes no password gets no mail; as soon as it does, the mail arrives.
fn mistrusted(world: &World, office: &PostOffice, good: &Arc<ServerConfig>) {
    world.clock.fetch_add(LATER, Ordering::AcqRel);
    let mut operator = Surfer::signed_in_at(world, "10.0.0.3", "operator", PASSWORD);
    wait_until("a password that is not taken", || {
        operator.get("/console/system").body.contains("who are you")
    });
    assert_eq!(mails(world)["waiting"], 1);
    assert!(!office.said().iter().any(|it| it.line.starts_with("MAIL") || it.line.contains("alice")));
    office.speak(Manner::StartTls, good);
    arrives(world, office);
}

/// The mail arrives at last, and nobody else heard anything that matters.
fn arrives(world: &World, office: &PostOffice) {
    office.said();
    world.clock.fetch_add(LATER, Ordering::AcqRel);
    let mail = office.mail(1);
    assert_eq!(mail.to, "alice@example.invalid");
    assert!(mail.body.contains("/console/account/address/"), "{}", mail.body);
    wait_until("a mail that is sent", || mails(world)["sent"] == 1);
    let said = office.said();
    let password = said.iter().find(|it| it.line.starts_with("AUTH PLAIN"));
    assert!(password.is_some_and(|it| it.is_encrypted), "{said:?}");
    let heard: Vec<&str> = said.iter().filter(|it| !it.is_encrypted).map(|it| it.line.trim_end()).collect();
    assert!(heard.iter().all(|it| it.starts_with("EHLO ") || *it == "STARTTLS"), "{heard:?}");
}

/// Certificates that do not say that this is the server.
fn bad_certificates(world: &World, office: &PostOffice, manner: Manner, trusted: &Authority) {
    let here = "127.0.0.1";
    for (what, why, shown) in [
        ("for another name", "not valid for name", certificate(trusted, "mail.example.invalid", 2100)),
        ("for another address", "not valid for name", certificate(trusted, "127.0.0.2", 2100)),
        ("expired", "expired", certificate(trusted, here, 2020)),
        ("by somebody else", "UnknownIssuer", certificate(&authority("somebody"), here, 2100)),
        // Under the name of the one that is trusted, by another key.
        ("by an impostor", "invalid peer certificate", certificate(&authority("ours"), here, 2100)),
    ] {
        office.speak(manner, &shown);
        is_kept(world, office, what, why);
    }
}

/// TLS from the first byte.
pub(crate) fn tls() -> bool {
    let files = tempfile::tempdir().unwrap();
    let ours = authority("ours");
    let good = certificate(&ours, "127.0.0.1", 2100);
    let office = PostOffice::open();
    // A server without TLS where it should be.
    office.speak(Manner::Stripped, &good);
    let world = world(&office, MailEncryption::Tls, files.path(), Some(&ours));
    write(&world);
    is_kept(&world, &office, "no TLS", "failed to connect");
    bad_certificates(&world, &office, Manner::Tls, &ours);
    office.speak(Manner::Tls, &good);
    arrives(&world, &office);
    true
}

/// TLS once it is asked for.
pub(crate) fn starttls() -> bool {
    let files = tempfile::tempdir().unwrap();
    let ours = authority("ours");
    let good = certificate(&ours, "127.0.0.1", 2100);
    let office = PostOffice::open();
    office.speak(Manner::Stripped, &good);
    let world = world(&office, MailEncryption::StartTls, files.path(), Some(&ours));
    write(&world);
    for (manner, why) in [
        (Manner::Stripped, "STARTTLS is not supported"),
        (Manner::Unwilling, "not now"),
        (Manner::Pretending, "failed to begin TLS"),
        (Manner::Injected, "failed to begin TLS"),
        (Manner::Unfriendly, "nothing is taken here"),
    ] {
        office.speak(manner, &good);
        is_kept(&world, &office, &format!("{manner:?}"), why);
    }
    // A mail is given up after eight attempts: certificates have another one.
    office.speak(Manner::StartTls, &good);
    arrives(&world, &office);
    starttls_certificates();
    true
}

fn starttls_certificates() {
    let files = tempfile::tempdir().unwrap();
    let ours = authority("ours");
    let good = certificate(&ours, "127.0.0.1", 2100);
    let office = PostOffice::open();
    office.speak(Manner::Unfriendly, &good);
    let world = world(&office, MailEncryption::StartTls, files.path(), Some(&ours));
    write(&world);
    bad_certificates(&world, &office, Manner::StartTls, &ours);
    // Who takes no password has heard nothing of the mail, and says nothing about it.
    office.speak(Manner::Mistrusting, &good);
    mistrusted(&world, &office, &good);
    // Without a certificate authority of its own, the gate trusts whom the system trusts.
    let (files, office) = (tempfile::tempdir().unwrap(), PostOffice::open());
    office.speak(Manner::StartTls, &good);
    let world = self::world(&office, MailEncryption::StartTls, files.path(), None);
    write(&world);
    is_kept(&world, &office, "an authority that the system does not know", "invalid peer certificate");
}
