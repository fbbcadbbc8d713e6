//! Certificate and key for TLS, read again when their files change: a renewal needs no restart.
//!
//! What cannot be used, because one of two files was replaced so far, keeps what is in use. TLS 1.2 and 1.3 with the cipher suites that
//! `rustls` calls safe, on `ring`, as everywhere else in this program.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::configuration::Tls;

/// Certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("failed to read `{}` for TLS", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file has not what it should have.
    #[error("failed to read `{}` for TLS: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key is not that of the certificate, or of a kind that is not known.
    #[error("failed to use the key `{}` with the certificate `{}`", key.display(), certificate.display())]
    Unfit {
        /// File with the certificate.
        certificate: PathBuf,
        /// File with the key.
        key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

impl CertificateError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            CertificateError::Io { .. } => {
                "`tls.certificate` and `tls.key` in gate.toml name files that the gate may read"
            }
            CertificateError::Content { .. } => {
                "both files are PEM: the certificate first, then those above it; the key is not encrypted"
            }
            CertificateError::Unfit { .. } => {
                "the first certificate of the file has to be the one that was issued for this key"
            }
        }
    }
}

/// What tells one state of a file from the next.
type Stamp = Option<(SystemTime, u64)>;

/// A certificate that can be used, and is not yet.
pub(crate) struct Renewal(Arc<CertifiedKey>, [Stamp; 2]);

/// The certificate in use, and where it comes from.
pub(crate) struct Certificates {
    files: Tls,
    provider: Arc<CryptoProvider>,
    current: RwLock<(Arc<CertifiedKey>, [Stamp; 2])>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Certificates {
    pub(crate) fn read(files: &Tls) -> Result<Certificates, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let stamps = stamps(files);
        let key = Arc::new(read(files, &provider)?);
        Ok(Certificates { files: files.clone(), provider, current: RwLock::new((key, stamps)) })
    }

    /// Takes what is in the files into use if they are others than they were. Gives whether they were.
    pub(crate) fn refresh(&self) -> Result<bool, CertificateError> {
        let renewal = self.renewal()?;
        Ok(renewal.map(|it| self.take(it)).is_some())
    }

    /// What is in the files, if they are others than they were, for [`Certificates::take`].
    pub(crate) fn renewal(&self) -> Result<Option<Renewal>, CertificateError> {
        let stamps = stamps(&self.files);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).1 == stamps {
            return Ok(None);
        }
        Ok(Some(Renewal(Arc::new(read(&self.files, &self.provider)?), stamps)))
    }

    pub(crate) fn take(&self, renewal: Renewal) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (renewal.0, renewal.1);
    }

    /// What accepts connections: HTTP/2 and HTTP/1.1 by ALPN.
    pub(crate) fn acceptor(self: &Arc<Certificates>) -> Result<TlsAcceptor, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

fn stamps(files: &Tls) -> [Stamp; 2] {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [stamp(&files.certificate), stamp(&files.key)]
}

fn read(files: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let bytes = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| CertificateError::Io { path: path.clone(), source })
    };
    let content = |path: &PathBuf, reason: String| CertificateError::Content { path: path.clone(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes(&files.certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| content(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(content(&files.certificate, "it has no certificate in PEM".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes(&files.key)?)
        .map_err(|_| content(&files.key, "it has no private key in PEM that is not encrypted".to_owned()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| CertificateError::Unfit {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        directory: tempfile::TempDir,
        tls: Tls,
    }

    fn issue(name: &str) -> (String, String) {
        let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (issued.cert.pem(), issued.signing_key.serialize_pem())
    }

    fn files() -> Files {
        let directory = tempfile::tempdir().unwrap();
        let tls =
            Tls { certificate: directory.path().join("chain.pem"), key: directory.path().join("key.pem") };
        let files = Files { directory, tls };
        let (certificate, key) = issue("one.example.invalid");
        std::fs::write(&files.tls.certificate, certificate).unwrap();
        std::fs::write(&files.tls.key, key).unwrap();
        files
    }

    fn in_use(certificates: &Certificates) -> Vec<u8> {
        certificates.current.read().unwrap().0.cert[0].to_vec()
    }

    #[test]
    fn what_cannot_be_used_is_told_with_the_file() {
        let files = files();
        assert!(Certificates::read(&files.tls).is_ok());
        let missing = Tls { key: files.directory.path().join("none.pem"), ..files.tls.clone() };
        let error = Certificates::read(&missing).unwrap_err();
        assert!(error.to_string().contains("none.pem") && !error.hint().is_empty());
        let swapped = Tls { certificate: files.tls.key.clone(), key: files.tls.certificate.clone() };
        assert!(matches!(Certificates::read(&swapped), Err(CertificateError::Content { .. })));
        std::fs::write(&files.tls.key, issue("two.example.invalid").1).unwrap();
        assert!(matches!(Certificates::read(&files.tls), Err(CertificateError::Unfit { .. })));
    }

    #[test]
    fn a_renewal_counts_when_both_files_are_there() {
        let files = files();
        let certificates = Certificates::read(&files.tls).unwrap();
        let first = in_use(&certificates);
        assert!(!certificates.refresh().unwrap());
        let (certificate, key) = issue("a-name-of-another-length.example.invalid");
        std::fs::write(&files.tls.certificate, certificate).unwrap();
        assert!(certificates.refresh().is_err());
        assert_eq!(in_use(&certificates), first, "half a renewal changes nothing");
        std::fs::write(&files.tls.key, key).unwrap();
        let renewal = certificates.renewal().unwrap().unwrap();
        assert_eq!(in_use(&certificates), first, "it is read, and not in use");
        certificates.take(renewal);
        assert_ne!(in_use(&certificates), first);
        assert!(!certificates.refresh().unwrap());
    }
}
