//! An identity provider on this machine, as good or as bad as a test wants it.
//!
//! It describes itself, gives its keys and takes codes over HTTP; people visit it by a function, because their browser is ours anyway. It holds
//! the gate to the protocol: secret, redirect and proof of who asked for a code are compared as a provider has to.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The gate's name at the provider, and its secret.
pub(crate) const CLIENT: &str = "gate";
pub(crate) const SECRET: &str = "a secret: with/odd+characters";

/// What is wrong with its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twist {
    Nothing,
    AnotherNonce,
    NoNonce,
    AnotherAudience,
    SecondAudience,
    AnotherParty,
    Expired,
    IssuedLongAgo,
    AnotherIssuer,
    Unsigned,
    SignedWithTheSecret,
    SignedWithThePublicKey,
    SignedWithAnotherKey,
    NoToken,
    NoSubject,
    EmptySubject,
    SubjectOfLines,
    NoJson,
    Giant,
    Hangs,
    LeadsElsewhere,
    NoMomentOfProof,
    OldProof,
}

/// What it keeps.
struct State {
    key: EcdsaKeyPair,
    twist: Twist,
    /// What it calls whoever visits it, and what it says their address of mail is.
    subject: String,
    mail: String,
    at: i64,
    codes: HashMap<String, Asked>,
    next: u32,
    /// Whether it says who it is when it sends somebody back.
    names_itself: bool,
}

#[derive(Clone)]
struct Asked {
    nonce: Option<String>,
    challenge: String,
    redirect: String,
}

/// The provider. It runs until the test's process ends.
pub(crate) struct StandIn {
    pub(crate) issuer: String,
    state: Arc<Mutex<State>>,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes.as_ref(), &random).unwrap()
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().enumerate().fold(0_u32, |sum, (at, byte)| sum | u32::from(*byte) << (16 - 8 * at));
        for at in 0..=chunk.len() {
            text.push(char::from(DIGITS[(number >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

impl StandIn {
    /// Starts a provider that knows one person.
    pub(crate) fn start(at: i64, names_itself: bool) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            key: new_key(),
            twist: Twist::Nothing,
            subject: "subject-1".to_owned(),
            mail: "operator@example.invalid".to_owned(),
            at,
            codes: HashMap::new(),
            next: 0,
            names_itself,
        }));
        let (shared, url) = (state.clone(), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, url) = (shared.clone(), url.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &shared, &url));
            }
        });
        StandIn { issuer, state }
    }

    pub(crate) fn twist(&self, twist: Twist) {
        self.state.lock().unwrap().twist = twist;
    }

    pub(crate) fn is_now(&self, at: i64) {
        self.state.lock().unwrap().at = at;
    }

    /// Takes another key, which it shows from now on.
    pub(crate) fn turn_key(&self) {
        self.state.lock().unwrap().key = new_key();
    }

    /// Somebody visits it, sent by the gate, and it sends them back: gives the path to which.
    pub(crate) fn visited_by(&self, subject: &str, url: &str) -> String {
        let mut state = self.state.lock().unwrap();
        subject.clone_into(&mut state.subject);
        let rest = url.strip_prefix(&format!("{}/authorize?", self.issuer));
        let asked: HashMap<String, String> =
            url::form_urlencoded::parse(rest.expect("it is sent here").as_bytes()).into_owned().collect();
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT), "{url}");
        assert_eq!(asked["code_challenge_method"], "S256", "{url}");
        assert!(asked["scope"].split(' ').any(|it| it == "openid"), "{url}");
        assert!(asked["redirect_uri"].ends_with("/console/sign-in/provider/return"), "{url}");
        state.next += 1;
        let code = format!("code-{}", state.next);
        let kept = Asked {
            nonce: asked.get("nonce").cloned(),
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
        };
        state.codes.insert(code.clone(), kept);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", &code).append_pair("state", &asked["state"]);
        if state.names_itself {
            query.append_pair("iss", &self.issuer);
        }
        let path = &asked["redirect_uri"][asked["redirect_uri"].find("/console").unwrap()..];
        format!("{path}?{}", query.finish())
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>, issuer: &str) {
    let (head, body) = request(&mut stream);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let twist = state.lock().unwrap().twist;
    let (status, body) = match path.as_str() {
        "/.well-known/openid-configuration" => (200, described(issuer, &state.lock().unwrap()).to_string()),
        "/keys" => (200, keys(&state.lock().unwrap()).to_string()),
        "/token" => match twist {
            Twist::Hangs => {
                // Longer than anybody waits; the connection ends with the test.
                std::thread::sleep(Duration::from_secs(300));
                return;
            }
            Twist::Giant => (200, format!("{{\"id_token\":\"{}\"}}", "x".repeat(8 << 20))),
            Twist::NoJson => (200, "<html>".to_owned()),
            Twist::LeadsElsewhere => (302, String::new()),
            _ => token(&head, &body, &mut state.lock().unwrap(), issuer),
        },
        _ => (404, String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nlocation: {issuer}/keys\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|it| it.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return (head.to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return (text, String::new()),
            Ok(count) => bytes.extend(&buffer[..count]),
        }
    }
}

fn described(issuer: &str, state: &State) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // It lies about what it signs with: nobody has to believe more because of it.
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
        "authorization_response_iss_parameter_supported": state.names_itself,
    })
}

fn keys(state: &State) -> Value {
    let point = state.key.public_key().as_ref();
    let (x, y) = (base64url(&point[1..33]), base64url(&point[33..65]));
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "kid": "1", "x": x, "y": y }] })
}

/// Takes a code, as RFC 6749 and RFC 7636 say.
fn token(head: &str, body: &str, state: &mut State, issuer: &str) -> (u16, String) {
    let refuse = |error: &str| (400, json!({ "error": error }).to_string());
    let sent: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let text = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = base64url(format!("{CLIENT}:{encoded}").as_bytes()).replace('-', "+").replace('_', "/");
    let is_client = head.lines().any(|it| {
        it.to_lowercase().starts_with("authorization: basic ") && it.trim_end_matches('=').ends_with(&basic)
    });
    if !is_client {
        return refuse("invalid_client");
    }
    let Some(asked) = state.codes.remove(&text("code")) else { return refuse("invalid_grant") };
    let hash = ring::digest::digest(&ring::digest::SHA256, text("code_verifier").as_bytes());
    if base64url(hash.as_ref()) != asked.challenge || text("redirect_uri") != asked.redirect {
        return refuse("invalid_grant");
    }
    let mut answer = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 60 });
    if state.twist != Twist::NoToken {
        answer["id_token"] = signed(state, &claims(state, &asked, issuer)).into();
    }
    (200, answer.to_string())
}

fn claims(state: &State, asked: &Asked, issuer: &str) -> Value {
    let at = state.at;
    let mut claims = json!({
        "iss": issuer,
        "sub": state.subject,
        "aud": CLIENT,
        "exp": at + 300,
        "iat": at,
        "auth_time": at,
        "nonce": asked.nonce,
        "email": state.mail,
        "email_verified": true,
        "preferred_username": "operator",
    });
    let mut set = |name: &str, value: Value| claims[name] = value;
    match state.twist {
        Twist::AnotherNonce => set("nonce", "another".into()),
        Twist::NoNonce => set("nonce", Value::Null),
        Twist::AnotherAudience => set("aud", "another".into()),
        Twist::SecondAudience => set("aud", json!([CLIENT, "another"])),
        Twist::AnotherParty => set("azp", "another".into()),
        Twist::Expired => set("exp", (at - 61).into()),
        Twist::IssuedLongAgo => set("iat", (at - 86_400).into()),
        Twist::AnotherIssuer => set("iss", "http://127.0.0.1:9".into()),
        Twist::EmptySubject => set("sub", "".into()),
        Twist::SubjectOfLines => set("sub", "subject-1\u{0}".into()),
        Twist::NoSubject => set("sub", Value::Null),
        Twist::NoMomentOfProof => set("auth_time", Value::Null),
        Twist::OldProof => set("auth_time", (at - 3_600).into()),
        _ => {}
    }
    if let Value::Object(map) = &mut claims {
        map.retain(|_, value| !value.is_null());
    }
    claims
}

fn signed(state: &State, claims: &Value) -> String {
    let algorithm = match state.twist {
        Twist::Unsigned => "none",
        Twist::SignedWithTheSecret | Twist::SignedWithThePublicKey => "HS256",
        _ => "ES256",
    };
    let head = json!({ "alg": algorithm, "typ": "JWT", "kid": "1" });
    let text =
        format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let shared = |key: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let by = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec();
    let signature = match state.twist {
        Twist::Unsigned => Vec::new(),
        Twist::SignedWithTheSecret => shared(SECRET.as_bytes()),
        Twist::SignedWithThePublicKey => shared(state.key.public_key().as_ref()),
        Twist::SignedWithAnotherKey => by(&new_key()),
        _ => by(&state.key),
    };
    format!("{text}.{}", base64url(&signature))
}
