//! Keys of the identity provider that tests stand up: of every kind that real ones sign with.
//!
//! Keys on curves are made when they are needed. Keys of RSA are two files, made for these tests and good for nothing else: nothing that the tests
//! have makes such keys.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::identity_provider::base64url;

const RSA: [&str; 2] =
    [include_str!("keys/rsa-for-tests-only-1.pem"), include_str!("keys/rsa-for-tests-only-2.pem")];

/// A way to sign (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Rs256,
    Ps256,
    EdDsa,
}

impl Algorithm {
    /// What heads of tokens call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
            Algorithm::Ps256 => "PS256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// One whose keys are of another kind.
    pub(crate) fn of_another_kind(self) -> Algorithm {
        if self == Algorithm::Es256 { Algorithm::Rs256 } else { Algorithm::Es256 }
    }
}

enum Pair {
    Elliptic(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
    /// With the number of its file.
    Rsa(Box<RsaKeyPair>, usize),
}

/// A key, and what it is called.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) name: String,
    pair: Pair,
}

impl Key {
    pub(crate) fn new(algorithm: Algorithm, name: &str) -> Key {
        Key::of(algorithm, name, 0)
    }

    fn of(algorithm: Algorithm, name: &str, number: usize) -> Key {
        let random = SystemRandom::new();
        let pair = match algorithm {
            Algorithm::Es256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let bytes = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                Pair::Elliptic(EcdsaKeyPair::from_pkcs8(kind, bytes.as_ref(), &random).unwrap())
            }
            Algorithm::EdDsa => {
                let bytes = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Pair::Edwards(Ed25519KeyPair::from_pkcs8(bytes.as_ref()).unwrap())
            }
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let bytes = PrivatePkcs8KeyDer::from_pem_slice(RSA[number].as_bytes()).unwrap();
                let pair = RsaKeyPair::from_pkcs8(bytes.secret_pkcs8_der()).unwrap();
                Pair::Rsa(Box::new(pair), number)
            }
        };
        Key { algorithm, name: name.to_owned(), pair }
    }

    /// Another one of the same kind and name.
    pub(crate) fn another(&self) -> Key {
        let number = if let Pair::Rsa(_, number) = &self.pair { 1 - number } else { 0 };
        Key::of(self.algorithm, &self.name, number)
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Elliptic(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Pair::Edwards(pair) => pair.sign(text).as_ref().to_vec(),
            Pair::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn ring::signature::RsaEncoding =
                    if self.algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, text, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The bytes that everybody knows.
    pub(crate) fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Elliptic(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Edwards(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair, _) => pair.public().as_ref().to_vec(),
        }
    }

    /// As the provider shows it (RFC 7517).
    pub(crate) fn shown(&self) -> Value {
        let mut shown = match &self.pair {
            Pair::Elliptic(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (base64url(&point[1..33]), base64url(&point[33..65]));
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Pair::Edwards(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()) })
            }
            Pair::Rsa(pair, _) => {
                let components = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": base64url(&components.n), "e": base64url(&components.e) })
            }
        };
        shown["use"] = "sig".into();
        shown["alg"] = self.algorithm.name().into();
        shown["kid"] = self.name.clone().into();
        shown
    }
}
