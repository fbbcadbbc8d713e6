//! The identity provider: where it sends people, and what it says about whoever comes back (OpenID Connect Core 1.0, the code flow).
//!
//! The protocol is the library's; what is here is how it is asked, within limits, and what of its answers is believed. What it says about itself is
//! asked for when it is first needed, so that a provider that is away keeps nobody from starting the gate or from signing in by a password.
//! Keys are asked for again when a signature fits none of those that are known.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use cratekeeper_registry::{CargoConfig, HttpError, ProviderClient, may_be_asked};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreIdToken, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySet, JsonWebKeySetUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse as _, TokenUrl, http,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use crate::configuration::{Configuration, ConfigurationError, IdentityProvider, SecondFactorOf};
use crate::error::{Failure, with_sources};

/// Path to which the provider sends people back.
pub(crate) const RETURN: &str = "/console/sign-in/provider/return";

/// How long what a provider says about itself is believed. Keys change every few weeks, and are announced before.
const BELIEVED: Duration = Duration::from_secs(60 * 60);

/// How long a provider that could not be asked is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(10);

/// How long keys are not asked for again, however many come with one that is not known: they have the answer of one question. Providers show a key
/// long before they sign with it, so that who is refused meanwhile is one who meets a provider that does not.
const KEYS_AGAIN: Duration = Duration::from_secs(5);

/// Questions to the provider at the same time: each takes a thread.
const QUESTIONS: usize = 8;

/// How long somebody waits for others' questions.
const TURN: Duration = Duration::from_secs(10);

/// Seconds by which the provider's clock and ours may differ.
pub(crate) const LEEWAY: i64 = 60;

/// Longest file with a secret, in bytes.
const SECRET: u64 = 4_096;

/// Signatures that are believed: those whose key nobody but the provider has. With the others, whoever knows the client's secret, or nothing at
/// all, could say who somebody is.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider says about itself, as far as it matters here (OpenID Connect Discovery 1.0, section 3). Real ones say much more, some of it in
/// forms of their own or empty: what nobody reads has to be in nobody's way.
#[derive(Debug, Deserialize)]
struct Described {
    issuer: IssuerUrl,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    jwks_uri: JsonWebKeySetUrl,
    token_endpoint_auth_methods_supported: Option<Vec<CoreClientAuthMethod>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// What of it the library does not know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct More {
    /// Whether it says who it is when it sends somebody back (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The identity provider that the gate is set up with.
pub(crate) struct Provider {
    configuration: IdentityProvider,
    issuer: IssuerUrl,
    secret: ClientSecret,
    redirect: RedirectUrl,
    asking: Asking,
    known: Mutex<Known>,
}

/// What is known about the provider, and when it was asked last.
#[derive(Default)]
struct Known {
    metadata: Option<Arc<Metadata>>,
    since: Option<Instant>,
    asked: Option<Instant>,
}

/// Somebody who is to be sent to the provider.
pub(crate) struct Departure {
    /// Where to.
    pub(crate) url: String,
    /// What the provider gives back as it is.
    pub(crate) state: String,
    /// What has to stand in what the provider says about them.
    pub(crate) nonce: String,
    /// What only whoever asked for the code can know (RFC 7636).
    pub(crate) verifier: String,
}

/// Who somebody is, as the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) subject: String,
    /// When they proved it to the provider, where it says so.
    pub(crate) proved_at: Option<i64>,
}

/// The provider did not say who somebody is, in a way that can be believed.
#[derive(Debug)]
pub(crate) enum ProviderError {
    /// It cannot be asked, or its answers are none of a provider's. The text is for the log.
    Away(String),
    /// It, or whoever sent the browser here, says something that is not believed. The text is for the log.
    Refused(String),
}

impl ProviderError {
    fn away(error: &(dyn std::error::Error + 'static)) -> ProviderError {
        ProviderError::Away(with_sources(error))
    }
}

/// Somebody who waits is told of a failure of another machine as what it is.
#[derive(Debug)]
struct Unasked(String);

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unasked {}

/// How the library asks: by the program's one HTTP client, in a thread.
struct Asking {
    client: Arc<ProviderClient>,
    questions: Arc<Semaphore>,
}

impl<'c> AsyncHttpClient<'c> for Asking {
    type Error = Unasked;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unasked>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let (client, questions) = (self.client.clone(), self.questions.clone());
        Box::pin(async move {
            let turn = timeout(TURN, questions.acquire_owned()).await;
            let Ok(Ok(turn)) = turn else {
                return Err(Unasked("too many ask it at the same time".to_owned()));
            };
            // The turn is over when the question is, also where nobody waits for the answer any more.
            let asked = tokio::task::spawn_blocking(move || {
                let answer = client.exchange(request);
                drop(turn);
                answer
            });
            match asked.await {
                Ok(answer) => answer.map_err(|error| Unasked(error.to_string())),
                Err(_) => Err(Unasked("it could not be asked".to_owned())),
            }
        })
    }
}

impl Provider {
    /// The provider of a configuration, if it has one. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When the file with the secret cannot be read, or proxy or certificates cannot be used.
    pub(crate) fn open(
        configuration: &Configuration,
        cargo: &CargoConfig,
    ) -> Result<Option<Provider>, ProviderOpenError> {
        let Some(provider) = configuration.identity_provider.clone() else { return Ok(None) };
        let secret = read_secret(&provider)?;
        let value =
            |key, value: &str, reason| ConfigurationError::Value { key, value: value.to_owned(), reason };
        let issuer = IssuerUrl::new(provider.issuer.clone())
            .map_err(|_| value("identity-provider.issuer", &provider.issuer, "it is no URL"))?;
        let redirect = format!("{}{RETURN}", configuration.url());
        let redirect = RedirectUrl::new(redirect)
            .map_err(|_| value("public-url", &configuration.url(), "it is no URL"))?;
        Ok(Some(Provider {
            issuer,
            secret,
            redirect,
            asking: Asking {
                client: Arc::new(ProviderClient::new(cargo)?),
                questions: Arc::new(Semaphore::new(QUESTIONS)),
            },
            known: Mutex::default(),
            configuration: provider,
        }))
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.configuration.name
    }

    /// What it calls itself.
    pub(crate) fn issuer(&self) -> &str {
        &self.configuration.issuer
    }

    /// Whether the gate asks for the second factor of whoever comes from there.
    pub(crate) fn is_second_factor_ours(&self) -> bool {
        self.configuration.second_factor == SecondFactorOf::Gate
    }

    /// Sends somebody to the provider. With `again`, it has to ask them who they are, whatever it knows.
    pub(crate) async fn departure(&self, again: bool) -> Result<Departure, ProviderError> {
        let metadata = self.metadata(false).await?;
        let client = self.client_of(&metadata);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(
                self.configuration.scopes.iter().filter(|it| *it != "openid").cloned().map(Scope::new),
            )
            .set_pkce_challenge(challenge);
        if again {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        Ok(Departure {
            url: url.into(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Refuses an answer that says that it comes from another provider, or does not say it although ours always does (RFC 9207): whoever is sent
    /// to two providers could be made to give one's code to the other.
    pub(crate) async fn check_sender(&self, issuer: Option<&str>) -> Result<(), ProviderError> {
        let refuse = |reason: &str| Err(ProviderError::Refused(reason.to_owned()));
        match issuer {
            Some(issuer) if issuer == self.issuer() => Ok(()),
            Some(_) => refuse("the answer says that it is another provider's"),
            None if self
                .metadata(false)
                .await?
                .additional_metadata()
                .authorization_response_iss_parameter_supported =>
            {
                refuse("the answer does not say whose it is")
            }
            None => Ok(()),
        }
    }

    /// Asks the provider who a code stands for, and checks the answer.
    pub(crate) async fn claimed(
        &self,
        code: &str,
        verifier: &str,
        nonce: &str,
        at: i64,
    ) -> Result<Claimed, ProviderError> {
        let metadata = self.metadata(false).await?;
        let token = self.exchange(&metadata, code, verifier).await?;
        match self.check(&metadata, &token, nonce, at) {
            // It may have taken another key since.
            Err(ClaimsVerificationError::SignatureVerification(error)) if is_about_the_key(&error) => {
                let metadata = self.metadata(true).await?;
                self.check(&metadata, &token, nonce, at)
            }
            result => result,
        }
        .map_err(|error| ProviderError::Refused(with_sources(&error)))
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<CoreIdToken, ProviderError> {
        let client = self.client_of(metadata);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| ProviderError::away(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let answer = request.request_async(&self.asking).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => {
                ProviderError::Refused(format!("the provider does not take the code: {answer}"))
            }
            // The answer itself may hold tokens.
            RequestTokenError::Parse(error, _) => ProviderError::away(&error),
            error => ProviderError::away(&error),
        })?;
        let token = answer.id_token().cloned();
        token.ok_or_else(|| ProviderError::Refused("the provider does not say who it is".to_owned()))
    }

    /// Whether a token says who somebody is, to us, now, and for this question.
    fn check(
        &self,
        metadata: &Metadata,
        token: &CoreIdToken,
        nonce: &str,
        at: i64,
    ) -> Result<Claimed, ClaimsVerificationError> {
        let client = self.client_of(metadata);
        let moment = move || {
            let seconds = u64::try_from(at.saturating_sub(LEEWAY)).unwrap_or_default();
            (UNIX_EPOCH + Duration::from_secs(seconds)).into()
        };
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(moment)
            .set_issue_time_verifier_fn(move |issued| {
                let is_of_now = (issued.timestamp() - at).abs() <= 10 * LEEWAY;
                if is_of_now { Ok(()) } else { Err("it was not issued now".to_owned()) }
            });
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        // The library leaves this one to us: a token that another client asked for may have us among those that it is for.
        let party = claims.authorized_party();
        if party.is_some_and(|it| it.as_str() != self.configuration.client_id) {
            return Err(ClaimsVerificationError::InvalidAudience(
                "it was made for another client".to_owned(),
            ));
        }
        Ok(Claimed {
            subject: claims.subject().as_str().to_owned(),
            proved_at: claims.auth_time().map(|it| it.timestamp()),
        })
    }

    fn client_of(&self, metadata: &Metadata) -> Client {
        let id = ClientId::new(self.configuration.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(self.secret.clone()))
            .set_redirect_uri(self.redirect.clone());
        // Basic is what every provider has to understand, unless it says that it does not (Discovery 1.0, section 3).
        let methods = metadata.token_endpoint_auth_methods_supported().map_or(&[][..], Vec::as_slice);
        let has = |method| methods.contains(&method);
        if has(CoreClientAuthMethod::ClientSecretPost) && !has(CoreClientAuthMethod::ClientSecretBasic) {
            return client.set_auth_type(AuthType::RequestBody);
        }
        client
    }

    /// What the provider says about itself, with its keys; asked for again when it is old, or with `again`. One question at a time: others wait
    /// for its answer, and have it.
    async fn metadata(&self, again: bool) -> Result<Arc<Metadata>, ProviderError> {
        let mut known = self.known.lock().await;
        let is_within = |moment: Option<Instant>, time| moment.is_some_and(|it| it.elapsed() < time);
        let pause = if again { KEYS_AGAIN } else { LEFT_ALONE };
        let is_young = !again && is_within(known.since, BELIEVED);
        let is_left_alone = is_within(known.asked, pause);
        match &known.metadata {
            Some(metadata) if is_young || is_left_alone => return Ok(metadata.clone()),
            None if is_left_alone => {
                return Err(ProviderError::Away("it could not be asked a moment ago".to_owned()));
            }
            _ => {}
        }
        let asked = self.ask_for_metadata().await;
        known.asked = Some(Instant::now());
        match asked {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.since = Some(Instant::now());
                known.metadata = Some(metadata.clone());
                Ok(metadata)
            }
            // What it said an hour ago is better than nothing; keys that are asked for again have to come.
            Err(error) => match known.metadata.clone().filter(|_| !again) {
                Some(metadata) => {
                    tracing::warn!("the identity provider does not answer: {error:?}");
                    Ok(metadata)
                }
                None => Err(error),
            },
        }
    }

    async fn ask_for_metadata(&self) -> Result<Metadata, ProviderError> {
        let described = self.ask_for_description().await?;
        if described.issuer != self.issuer {
            // Believed as it is written, as the specification says (section 4.3): one of many tenants could call itself another.
            return Err(ProviderError::Away(format!(
                "it calls itself `{}`, and is set up as `{}`",
                described.issuer.as_str(),
                self.issuer.as_str()
            )));
        }
        let places = [
            described.authorization_endpoint.as_str(),
            described.token_endpoint.as_str(),
            described.jwks_uri.as_str(),
        ];
        // People are sent to the first, with whatever it is: only what may be asked can be a place to go.
        if !places.into_iter().all(may_be_asked) {
            return Err(ProviderError::Away("it names a place that is not encrypted".to_owned()));
        }
        let keys = JsonWebKeySet::fetch_async(&described.jwks_uri, &self.asking).await;
        let keys = keys.map_err(|error| match error {
            // The body is somebody else's text.
            DiscoveryError::Response(status, _, reason) => {
                ProviderError::Away(format!("status {status}: {reason}"))
            }
            error => ProviderError::away(&error),
        })?;
        let more = More {
            authorization_response_iss_parameter_supported: described
                .authorization_response_iss_parameter_supported
                .unwrap_or_default(),
        };
        // What it says that it signs with is not asked: what is believed is said here.
        let (issuer, place) = (described.issuer, described.authorization_endpoint);
        Ok(Metadata::new(issuer, place, described.jwks_uri, Vec::new(), Vec::new(), Vec::new(), more)
            .set_token_endpoint(Some(described.token_endpoint))
            .set_token_endpoint_auth_methods_supported(described.token_endpoint_auth_methods_supported)
            .set_jwks(keys))
    }

    /// Reads what the provider says about itself.
    async fn ask_for_description(&self) -> Result<Described, ProviderError> {
        // Section 4.1: a slash at the end of the issuer is left out.
        let place = format!("{}/.well-known/openid-configuration", self.issuer().trim_end_matches('/'));
        let request = http::Request::get(place).header(http::header::ACCEPT, "application/json");
        let request = request.body(Vec::new()).map_err(|error| ProviderError::away(&error))?;
        let answer = self.asking.call(request).await.map_err(|error| ProviderError::away(&error))?;
        if answer.status() != http::StatusCode::OK {
            return Err(ProviderError::Away(format!("status {}", answer.status())));
        }
        serde_json::from_slice(answer.body()).map_err(|error| ProviderError::away(&error))
    }

    /// What somebody is told, and what the log is.
    pub(crate) fn told(&self, error: &ProviderError) -> Failure {
        let name = self.name();
        match error {
            ProviderError::Away(cause) => {
                tracing::warn!(
                    cause = crate::refusal::harmless(cause, 500),
                    "the identity provider cannot be used"
                );
                Failure::Upstream(format!(
                    "{name} cannot be asked at the moment, or does not answer as an identity provider does: try again later, or sign in by a password"
                ))
            }
            ProviderError::Refused(cause) => {
                tracing::warn!(
                    cause = crate::refusal::harmless(cause, 500),
                    "what the identity provider says is refused"
                );
                Failure::Forbidden(format!(
                    "what came from {name} does not prove who you are: begin again at the sign-in page"
                ))
            }
        }
    }
}

/// Whether a signature could be right by another key than those that are known.
fn is_about_the_key(error: &SignatureVerificationError) -> bool {
    matches!(
        error,
        SignatureVerificationError::NoMatchingKey
            | SignatureVerificationError::CryptoError(_)
            | SignatureVerificationError::AmbiguousKeyId(_)
            | SignatureVerificationError::InvalidKey(_)
    )
}

/// The provider cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderOpenError {
    /// The file with the client's secret cannot be read.
    #[error("failed to read the identity provider's secret `{}`", path.display())]
    Secret {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A value makes no sense.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Proxy or certificates cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
}

fn read_secret(provider: &IdentityProvider) -> Result<ClientSecret, ProviderOpenError> {
    use std::io::Read as _;
    let path = &provider.client_secret_file;
    let refuse = |source| ProviderOpenError::Secret { path: path.clone(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(refuse)?;
    file.take(SECRET).read_to_string(&mut text).map_err(refuse)?;
    // Editors end files with a line break; no provider does so with a secret.
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is empty")));
    }
    Ok(ClientSecret::new(text.to_owned()))
}
