//! An identity provider on this machine, as good or as bad as a test wants it.
//!
//! It describes itself, gives its keys and takes codes over HTTP; people visit it by a function, because their browser is ours anyway. It holds
//! the gate to the protocol: secret, redirect and proof of who asked for a code are compared as a provider has to.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::provider_keys::{Algorithm, Key};

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
    SignedWithTheShownKey,
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
    /// The head names an algorithm of RSA, and key and signature are on a curve.
    OfAnotherKind,
    /// The head names a key that is not shown.
    UnknownKey,
    /// The head names no key.
    NoKeyNamed,
    /// The head brings the key along that it is to be checked with (RFC 7515, 4.1.3).
    OwnKey,
    /// Claims that some write in a form of their own.
    OtherForms,
}

/// How it shows its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// One, with all that there is to say about it.
    Plainly,
    /// Without `alg` and `use`, as RFC 7517 allows.
    Bare,
    /// Among keys for encryption, of unknown kinds, and broken ones, with members that nobody knows.
    InACrowd,
    /// For encryption.
    ForEncryption,
    /// For a use that nobody knows.
    ForAnotherUse,
    /// For another algorithm than it signs with.
    ForAnotherAlgorithm,
    /// Beside another one of the same kind and the same name.
    Twice,
    /// Beside one of another kind and the same name, which RFC 7517, 4.5 gives as an example.
    BesideAnotherKind,
    /// Beside the one that it will sign with next, as those do that announce it.
    BesideTheNext,
    /// Not at all.
    Nowhere,
    /// As a secret that is shared: what is public, for a MAC.
    AsASecret,
}

/// What it says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Described {
    /// What it has to.
    Briefly,
    /// With everything of the example in OpenID Connect Discovery 1.0, section 4.2, and what others add to it.
    AtLength,
    /// With values that are there and say nothing.
    Emptily,
}

/// What it keeps.
struct State {
    key: Key,
    shown: Shown,
    described: Described,
    /// How often somebody read the keys.
    reads: u32,
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
        StandIn::start_under("", at, names_itself)
    }

    /// Starts one whose issuer has this path.
    pub(crate) fn start_under(path: &str, at: i64, names_itself: bool) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            key: Key::new(Algorithm::Es256, "1"),
            shown: Shown::Plainly,
            described: Described::Briefly,
            reads: 0,
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

    /// Takes another key of the same kind and name, which it shows from now on.
    pub(crate) fn turn_key(&self) {
        let mut state = self.state.lock().unwrap();
        state.key = state.key.another();
    }

    /// Signs in another way from now on, with a key of this name.
    pub(crate) fn sign_with(&self, algorithm: Algorithm, name: &str) {
        self.state.lock().unwrap().key = Key::new(algorithm, name);
    }

    /// Takes another key of the same kind, with another name.
    pub(crate) fn rotate(&self, name: &str) {
        let mut state = self.state.lock().unwrap();
        state.key = state.key.another();
        name.clone_into(&mut state.key.name);
    }

    pub(crate) fn show(&self, shown: Shown) {
        self.state.lock().unwrap().shown = shown;
    }

    pub(crate) fn describe(&self, described: Described) {
        self.state.lock().unwrap().described = described;
    }

    /// How often the keys were read so far.
    pub(crate) fn reads(&self) -> u32 {
        self.state.lock().unwrap().reads
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
    let root = issuer.splitn(4, '/').nth(3).map(|it| format!("/{it}")).unwrap_or_default();
    let (status, body) = match path.strip_prefix(&root).unwrap_or_default() {
        "/.well-known/openid-configuration" => (200, described(issuer, &state.lock().unwrap()).to_string()),
        "/keys" => {
            let mut state = state.lock().unwrap();
            state.reads += 1;
            (200, keys(&state).to_string())
        }
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
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json; charset=utf-8\r\nlocation: {issuer}/keys\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
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
    let mut value = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // It lies about what it signs with: nobody has to believe more because of it.
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
        "authorization_response_iss_parameter_supported": state.names_itself,
    });
    let more = match state.described {
        Described::Briefly => json!({}),
        Described::AtLength => at_length(issuer),
        Described::Emptily => emptily(),
    };
    if let (Value::Object(all), Value::Object(more)) = (&mut value, more) {
        all.extend(more);
    }
    value
}

/// What large providers say besides: the members of the specification's example, those of its extensions, and some of nobody's.
fn at_length(issuer: &str) -> Value {
    let url = |path: &str| format!("{issuer}/{path}");
    json!({
        "userinfo_endpoint": url("userinfo"),
        "registration_endpoint": url("register"),
        "introspection_endpoint": url("introspect"),
        "revocation_endpoint": url("revoke"),
        "end_session_endpoint": url("logout"),
        "check_session_iframe": url("check.html"),
        "device_authorization_endpoint": url("device"),
        "pushed_authorization_request_endpoint": url("par"),
        "backchannel_authentication_endpoint": url("ciba"),
        "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access", "https://api.example.invalid/.default"],
        "response_types_supported": ["code", "code id_token", "id_token", "token id_token", "code token", "code id_token token", "none"],
        "response_modes_supported": ["query", "fragment", "form_post", "query.jwt", "form_post.jwt", "web_message"],
        "grant_types_supported": ["authorization_code", "implicit", "refresh_token", "password", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:openid:params:grant-type:ciba"],
        "acr_values_supported": ["0", "1", "urn:mace:incommon:iap:silver"],
        "subject_types_supported": ["public", "pairwise", "ephemeral"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post", "tls_client_auth", "client_secret_jwt", "attest_jwt_client_auth"],
        "token_endpoint_auth_signing_alg_values_supported": ["PS384", "RS256", "HS256", "ES256K", "EdDSA"],
        "id_token_signing_alg_values_supported": ["PS384", "RS384", "EdDSA", "ES384", "HS256", "ES512", "ES256K", "ML-DSA-65", "RS256", "PS256", "none"],
        "id_token_encryption_alg_values_supported": ["ECDH-ES+A256KW", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5", "HPKE-0"],
        "id_token_encryption_enc_values_supported": ["A256GCM", "A128CBC-HS256", "XC20P"],
        "userinfo_signing_alg_values_supported": ["RS256", "ES256K", "none"],
        "userinfo_encryption_alg_values_supported": ["RSA-OAEP", "A128KW", "unheard-of"],
        "request_object_signing_alg_values_supported": ["none", "RS256", "ES256K"],
        "authorization_signing_alg_values_supported": ["PS384", "RS256"],
        "display_values_supported": ["page", "popup", "hologram"],
        "claim_types_supported": ["normal", "distributed", "unheard-of"],
        "claims_supported": ["sub", "iss", "auth_time", "acr", "name", "given_name", "email", "groups", "http://example.invalid/claims/department"],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "require_pushed_authorization_requests": false,
        "code_challenge_methods_supported": ["plain", "S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
        "tls_client_certificate_bound_access_tokens": true,
        "mtls_endpoint_aliases": { "token_endpoint": url("mtls/token"), "introspection_endpoint": url("mtls/introspect") },
        "frontchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "service_documentation": url("documentation"),
        "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA", "zh-Hans"],
        "op_policy_uri": url("policy"),
        "tenant_region_scope": null,
        "cloud_instance": { "name": "example", "numbers": [1, 2.5, -3] },
    })
}

/// Members that may be left out, and are there with nothing in them.
fn emptily() -> Value {
    json!({
        "userinfo_endpoint": null,
        "registration_endpoint": "",
        "service_documentation": "",
        "op_policy_uri": "",
        "op_tos_uri": "not a url",
        "scopes_supported": null,
        "response_modes_supported": null,
        "token_endpoint_auth_methods_supported": null,
        "claims_supported": null,
        "id_token_encryption_alg_values_supported": null,
        "request_parameter_supported": "true",
        "authorization_response_iss_parameter_supported": null,
    })
}

fn keys(state: &State) -> Value {
    let key = &state.key;
    let mut shown = key.shown();
    let mut keys = Vec::new();
    match state.shown {
        Shown::Plainly => {}
        Shown::Bare => {
            let members = shown.as_object_mut().unwrap();
            members.retain(|name, _| name != "alg" && name != "use");
        }
        Shown::InACrowd => {
            let mut encrypting = Key::new(Algorithm::Rs256, "for-encryption").shown();
            encrypting["use"] = "enc".into();
            encrypting["alg"] = "RSA-OAEP".into();
            keys.extend([
                encrypting,
                json!({ "kty": "AKP", "alg": "ML-DSA-65", "kid": "post-quantum", "pub": "AAAA" }),
                json!({ "kty": "EC", "crv": "secp256k1", "kid": key.name, "x": "AAAA", "y": "AAAA" }),
                json!({ "kty": "RSA", "kid": 7, "n": [], "e": null }),
                json!("no key"),
            ]);
            shown["x5c"] = json!(["MIIB"]);
            shown["x5t"] = "AAAA".into();
            shown["x5t#S256"] = "AAAA".into();
            shown["issuer"] = "https://example.invalid/{tenantid}/v2.0".into();
            shown["key_ops"] = json!(["verify"]);
        }
        Shown::ForEncryption => shown["use"] = "enc".into(),
        Shown::ForAnotherUse => shown["use"] = "anything".into(),
        Shown::ForAnotherAlgorithm => {
            shown["alg"] = if key.algorithm == Algorithm::Rs256 { "PS256".into() } else { "RS256".into() };
        }
        Shown::Twice => keys.push(key.another().shown()),
        Shown::BesideAnotherKind => {
            let of = if key.algorithm == Algorithm::Es256 { Algorithm::Rs256 } else { Algorithm::Es256 };
            keys.push(Key::new(of, &key.name).shown());
        }
        Shown::BesideTheNext => {
            let mut next = key.another();
            next.name.push_str("-next");
            keys.push(next.shown());
        }
        Shown::Nowhere => return json!({ "keys": [] }),
        Shown::AsASecret => {
            shown = json!({ "kty": "oct", "kid": key.name, "alg": "HS256", "k": base64url(&key.public()) });
        }
    }
    keys.push(shown);
    json!({ "keys": keys })
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
        Twist::OtherForms => {
            set("aud", json!([CLIENT]));
            set("azp", CLIENT.into());
            set("email_verified", "true".into());
            set("updated_at", "2026-09-21T14:13:20.000Z".into());
            set("groups", json!(["a", "b"]));
            set("address", json!({ "country": "xx" }));
        }
        _ => {}
    }
    if let Value::Object(map) = &mut claims {
        map.retain(|_, value| !value.is_null());
    }
    claims
}

fn signed(state: &State, claims: &Value) -> String {
    let key = &state.key;
    let algorithm = match state.twist {
        Twist::Unsigned => "none",
        Twist::SignedWithTheSecret | Twist::SignedWithThePublicKey | Twist::SignedWithTheShownKey => "HS256",
        Twist::OfAnotherKind => key.algorithm.of_another_kind().name(),
        _ => key.algorithm.name(),
    };
    let mut head = json!({ "alg": algorithm, "typ": "JWT", "kid": key.name });
    match state.twist {
        Twist::UnknownKey => head["kid"] = "nobody's".into(),
        Twist::NoKeyNamed => head = json!({ "alg": algorithm, "typ": "JWT" }),
        Twist::OwnKey => head["jwk"] = key.another().shown(),
        _ => {}
    }
    let text =
        format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let shared = |key: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let signature = match state.twist {
        Twist::Unsigned => Vec::new(),
        Twist::SignedWithTheSecret => shared(SECRET.as_bytes()),
        Twist::SignedWithThePublicKey => shared(&key.public()),
        Twist::SignedWithTheShownKey => shared(key.shown().to_string().as_bytes()),
        Twist::SignedWithAnotherKey | Twist::OwnKey => key.another().sign(text.as_bytes()),
        _ => key.sign(text.as_bytes()),
    };
    format!("{text}.{}", base64url(&signature))
}
