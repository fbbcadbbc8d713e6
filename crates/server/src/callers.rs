//! Who is asking: tokens, addresses, and how often.

use std::collections::HashMap;
use std::hash::{Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use cratekeeper_store::{Role, Scope, Token, User, UserId, network};
use tokio::time::timeout;

use crate::error::Failure;
use crate::gate::Gate;

/// How long a body of a few kilobytes may take.
const SMALL_BODY: Duration = Duration::from_secs(30);

/// Most characters of a user agent that are kept.
const CLIENT_CHARACTERS: usize = 200;

/// Whoever sent a request, as far as it says.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Address, behind proxies that are trusted.
    pub(crate) address: Option<IpAddr>,
    /// What the client calls itself.
    pub(crate) client: Option<String>,
    /// The account and the token, where a token came along.
    pub(crate) account: Option<(Token, User)>,
}

impl Caller {
    /// Finds out who is asking, and counts the request.
    ///
    /// # Errors
    ///
    /// When a token came along that is worth nothing, or there were too many requests.
    pub(crate) async fn of(parts: &Parts, gate: &Gate, kind: RequestKind) -> Result<Caller, Failure> {
        let settings = gate.settings();
        let address = address(parts, &settings.trusted_proxies);
        let client = text(&parts.headers, header::USER_AGENT)
            .map(|it| crate::refusal::harmless(it, CLIENT_CHARACTERS));
        let account = match text(&parts.headers, header::AUTHORIZATION) {
            None => None,
            Some(value) => {
                let secret = value.strip_prefix("Bearer ").unwrap_or(value).trim();
                let found = gate.store.authenticate(secret, gate.now()).await?;
                if found.is_none() {
                    gate.metrics.wrong_token();
                    // Wrong tokens are counted as writes of the address, so that guessing is slow.
                    gate.rates.count(Subject::of(address), RequestKind::Write, &settings)?;
                }
                Some(found.ok_or(Failure::Unauthorized(
                    "the token is not valid: it is unknown, expired or revoked",
                ))?)
            }
        };
        if let Some((token, _)) = &account {
            gate.store.note_token_use(token, gate.now()).await?;
        }
        let subject = account.as_ref().map_or(Subject::of(address), |(token, _)| Subject::Token(token.id.0));
        gate.rates.count(subject, kind, &settings)?;
        if let Some((_, user)) = &account {
            gate.rates.count(Subject::User(user.id.0), kind, &settings)?;
        }
        Ok(Caller { address, client, account })
    }

    /// The account, whose token must have a scope and be for a crate.
    ///
    /// # Errors
    ///
    /// When there is no token, or it may not be used for this.
    pub(crate) fn with_scope(&self, scope: Scope, krate: &str) -> Result<(&Token, &User), Failure> {
        let (token, user) = self.signed_in()?;
        if token.allows(scope, krate) {
            return Ok((token, user));
        }
        let reason = if token.has(scope) {
            format!("this token may not be used for the crate `{krate}`")
        } else {
            format!("this token may not be used for this: it lacks the scope `{scope}`")
        };
        Err(Failure::Forbidden(reason))
    }

    /// The account, who must have one of some roles.
    ///
    /// # Errors
    ///
    /// When there is no token, or its owner has none of the roles.
    pub(crate) fn with_role(&self, roles: &[Role]) -> Result<&User, Failure> {
        let (token, user) = self.signed_in()?;
        if !token.has(Scope::Administer) {
            return Err(Failure::Forbidden("this token may not be used for administration".to_owned()));
        }
        if roles.iter().any(|role| user.is(*role)) {
            return Ok(user);
        }
        let names: Vec<&str> = roles.iter().map(|it| it.as_str()).collect();
        Err(Failure::Forbidden(format!("this needs one of the roles {}", names.join(", "))))
    }

    /// The account.
    ///
    /// # Errors
    ///
    /// When there is no token.
    pub(crate) fn signed_in(&self) -> Result<(&Token, &User), Failure> {
        match &self.account {
            Some((token, user)) => Ok((token, user)),
            None => Err(Failure::Unauthorized("this needs a token; `cargo login` stores one")),
        }
    }

    /// Whether reading is allowed.
    ///
    /// # Errors
    ///
    /// When the gate is set up to need a token for it, and there is none.
    pub(crate) fn may_read(&self, gate: &Gate) -> Result<(), Failure> {
        if gate.settings().auth_required { self.signed_in().map(|_| ()) } else { Ok(()) }
    }
}

/// The whole body of a request that has little to say, in little time: whoever sends a byte a minute keeps a connection, not more.
///
/// # Errors
///
/// When it is longer than `limit` bytes, or takes too long.
pub(crate) async fn small(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let late = |_| Failure::Bad(format!("the request did not end within {} seconds", SMALL_BODY.as_secs()));
    let read = timeout(SMALL_BODY, axum::body::to_bytes(body, limit)).await.map_err(late)?;
    read.map_err(|_| Failure::TooLarge(limit as u64))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Where a request comes from, behind proxies that are trusted.
fn address(parts: &Parts, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    Some(behind_proxies(peer, &parts.headers, trusted))
}

/// Whether a request was made on this machine. One that says to be passed on was not, although a proxy on this machine passes it: where none
/// is trusted, nobody knows by whom it was made.
pub(crate) fn is_from_here(parts: &Parts, gate: &Gate) -> bool {
    let is_passed_on = ["x-forwarded-for", "forwarded", "via", "x-real-ip"]
        .into_iter()
        .any(|name| parts.headers.contains_key(name));
    !is_passed_on && address(parts, &gate.settings().trusted_proxies).is_some_and(|it| it.is_loopback())
}

/// The address of whoever asked a chain of proxies: the last in `X-Forwarded-For` that is none of those we trust. What stands before an entry
/// that is no address was written by somebody we know nothing about. `Forwarded` (RFC 7239) is not believed: proxies that set the one pass
/// the other on as it came.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |address: IpAddr| is_among(address, trusted);
    let values: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|it| it.to_str().unwrap_or_default()).collect();
    let mut address = peer.to_canonical();
    for entry in values.iter().rev().flat_map(|it| it.rsplit(',')) {
        if !is_trusted(address) {
            break;
        }
        let Some(before) = forwarded(entry) else { break };
        address = before;
    }
    address
}

/// Whether an address is one of these, however they are written.
pub(crate) fn is_among(address: IpAddr, addresses: &[IpAddr]) -> bool {
    addresses.iter().any(|it| it.to_canonical() == address.to_canonical())
}

/// An entry of `X-Forwarded-For`: an address, in brackets or quotes, with or without a port.
fn forwarded(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let address = entry.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|it| it.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    Some(address.or_else(with_port).or_else(bracketed)?.to_canonical())
}

/// Who has a share of what is shared out by address: nobody where it is this machine's, which may be a proxy and speak for many.
pub(crate) fn sharer(address: Option<IpAddr>) -> Option<IpAddr> {
    address.filter(|it| !it.to_canonical().is_loopback()).map(network)
}

/// What a request does, for limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RequestKind {
    Read,
    Write,
    SignIn,
    Report,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Token(i64),
    /// All tokens of one account.
    User(i64),
    /// Whoever tries to sign in with one login; its hash.
    Login(u64),
    Address(Option<IpAddr>),
}

impl Subject {
    fn of(address: Option<IpAddr>) -> Subject {
        Subject::Address(address.map(network))
    }
}

/// Counts requests: each subject has a minute's worth, which fills up again evenly (a token bucket). Each replica counts for itself.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: Mutex<HashMap<(Subject, RequestKind), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    since: Instant,
}

/// Tries to sign in, per minute and address, and per minute and login: whoever forgot which of five passwords it was gets through.
const SIGN_INS: u32 = 10;

/// Reports, per minute and address: somebody who found a campaign has ten crates to report.
const REPORTS: u32 = 10;

/// Tokens that one account may use up at the same time.
const TOKENS_OF_USER: f64 = 5.0;

/// Buckets that are kept; beyond, full ones are forgotten.
const BUCKETS: usize = 50_000;

impl Rates {
    /// Counts a request of somebody who is signed in.
    ///
    /// # Errors
    ///
    /// When there were too many.
    pub(crate) fn count_user(
        &self,
        user: UserId,
        kind: RequestKind,
        configuration: &crate::configuration::Configuration,
    ) -> Result<(), Failure> {
        self.count(Subject::User(user.0), kind, configuration)
    }

    /// Counts a try to sign in: by address, so that nobody tries many accounts, and by login, so that nobody has many try one. Whoever knows a
    /// login can keep its owner waiting for a minute that way; sessions that are open go on.
    ///
    /// # Errors
    ///
    /// When there were too many.
    pub(crate) fn count_sign_in(
        &self,
        address: Option<IpAddr>,
        login: &str,
        configuration: &crate::configuration::Configuration,
    ) -> Result<(), Failure> {
        self.count(Subject::of(address), RequestKind::SignIn, configuration)?;
        let mut hasher = std::hash::DefaultHasher::new();
        login.to_lowercase().hash(&mut hasher);
        self.count(Subject::Login(hasher.finish()), RequestKind::SignIn, configuration)
    }

    /// Counts a try to sign in of whom nobody knows yet who they say they are.
    ///
    /// # Errors
    ///
    /// When there were too many.
    pub(crate) fn count_sign_in_from(
        &self,
        address: Option<IpAddr>,
        configuration: &crate::configuration::Configuration,
    ) -> Result<(), Failure> {
        self.count(Subject::of(address), RequestKind::SignIn, configuration)
    }

    /// Counts a report of an address.
    ///
    /// # Errors
    ///
    /// When there were too many.
    pub(crate) fn count_report(
        &self,
        address: Option<IpAddr>,
        configuration: &crate::configuration::Configuration,
    ) -> Result<(), Failure> {
        self.count(Subject::of(address), RequestKind::Report, configuration)
    }

    fn count(
        &self,
        subject: Subject,
        kind: RequestKind,
        configuration: &crate::configuration::Configuration,
    ) -> Result<(), Failure> {
        let allowed = f64::from(match kind {
            RequestKind::Read => configuration.reads_per_minute,
            RequestKind::Write => configuration.writes_per_minute,
            RequestKind::SignIn => SIGN_INS,
            RequestKind::Report => REPORTS,
        });
        // Whoever has several tokens has them for several machines.
        let allowed = if matches!(subject, Subject::User(_)) { allowed * TOKENS_OF_USER } else { allowed };
        let at = Instant::now();
        // A bucket is whole after each change, so a panic elsewhere does not matter.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS {
            buckets.retain(|_, it| at.duration_since(it.since).as_secs() < 60);
        }
        let bucket = buckets.entry((subject, kind)).or_insert(Bucket { left: allowed, since: at });
        let gained = at.duration_since(bucket.since).as_secs_f64() * allowed / 60.0;
        (bucket.left, bucket.since) = ((bucket.left + gained).min(allowed), at);
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a minute")]
        let seconds = ((1.0 - bucket.left) * 60.0 / allowed.max(1.0)).ceil() as u64;
        Err(Failure::TooMany(seconds.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;

    #[test]
    fn a_minute_has_so_many_requests_for_each() {
        let rates = Rates::default();
        let configuration = Configuration { writes_per_minute: 3, ..Configuration::default() };
        let ask = |token| rates.count(Subject::Token(token), RequestKind::Write, &configuration);
        assert!((0..3).all(|_| ask(1).is_ok()));
        assert!(matches!(ask(1), Err(Failure::TooMany(seconds)) if (1..=20).contains(&seconds)));
        assert!(ask(2).is_ok());
        assert!(rates.count(Subject::Token(1), RequestKind::Read, &configuration).is_ok());
        // A user with many tokens has five tokens' worth.
        let of_user = || rates.count(Subject::User(1), RequestKind::Write, &configuration);
        assert!((0..15).all(|_| of_user().is_ok()));
        assert!(of_user().is_err());
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        assert_eq!(behind_proxies(proxy, &headers, &[]), proxy);
        assert_eq!(behind_proxies(proxy, &headers, &[proxy]).to_string(), "198.51.100.7");
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(behind_proxies(proxy, &headers, &[proxy]), proxy);
        headers.insert("x-forwarded-for", "203.0.113.9, nonsense, 10.0.0.1".parse().unwrap());
        assert_eq!(behind_proxies(proxy, &headers, &[proxy]), proxy, "what a stranger wrote is not believed");
    }

    #[test]
    fn the_last_address_that_is_not_trusted_is_whoever_asks() {
        let trusted: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "192.0.2.1, 198.51.100.7:5012".parse().unwrap());
        headers.append("x-forwarded-for", "\"[2001:db8::1]:443\", ::ffff:10.0.0.1".parse().unwrap());
        headers.insert("forwarded", "for=192.0.2.99".parse().unwrap());
        let peer = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(behind_proxies(peer, &headers, &trusted).to_string(), "198.51.100.7");
        for (entry, expected) in [
            ("[2001:db8::7]", Some("2001:db8::7")),
            (" 2001:db8::7 ", Some("2001:db8::7")),
            ("[2001:db8::7]:1", Some("2001:db8::7")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("unknown", None),
            ("_hidden", None),
            ("1.2.3", None),
            ("", None),
        ] {
            assert_eq!(forwarded(entry).map(|it| it.to_string()).as_deref(), expected, "{entry}");
        }
    }

    #[test]
    fn addresses_of_one_network_are_counted_together() {
        let rates = Rates::default();
        let configuration = Configuration::default();
        let sign_in =
            |address: &str| rates.count_sign_in_from(Some(address.parse().unwrap()), &configuration);
        let of_one_network = |it: u32| format!("2001:db8:1:2:{it:x}::9");
        assert!((0..SIGN_INS).all(|it| sign_in(&of_one_network(it)).is_ok()));
        assert!(sign_in(&of_one_network(99)).is_err() && sign_in("2001:db8:1:3::9").is_ok());
        let sharer = |text: &str| sharer(Some(text.parse().unwrap()));
        assert_eq!(sharer("2001:db8:1:2::3"), sharer("2001:db8:1:2:ffff::9"));
        assert_eq!([sharer("127.0.0.1"), sharer("::ffff:127.0.0.1"), sharer("::1")], [None; 3]);
    }
}
