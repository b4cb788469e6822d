//! Mutual TLS 1.3 among members, with nothing to choose.
//!
//! Identities are raw ed25519 public keys (RFC 7250, RFC 8410) pinned to the roster: no certificates, no authorities,
//! no names. The only key exchange is X25519MLKEM768, so what is recorded today stays closed to a quantum computer.
//! No resumption and no early data: every connection proves anew who is at its ends.

use counterfoil_crypto::identity::{Identity, PublicIdentity};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    ServerConfig, SignatureScheme,
    client::{
        ResolvesClientCert, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature_with_raw_key},
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
    },
    server::{
        ClientHello, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::TLS13,
};
use std::{collections::BTreeSet, sync::Arc};

/// The protocol that both sides must name.
pub(crate) const ALPN: &[u8] = b"counterfoil/1";
/// What a client calls a server. Names mean nothing here, but the library wants one.
pub(crate) const SERVER_NAME: &str = "member.counterfoil";

/// DER of an ed25519 `SubjectPublicKeyInfo` (RFC 8410) up to the key's 32 bytes.
const KEY_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(String);

impl TlsError {
    pub(crate) fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// The algorithms: those of aws-lc, with one key exchange.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
    Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
}

/// A key to show and a key to sign with; the same, except in attacks.
pub(crate) struct Credential {
    pub(crate) shown: PublicIdentity,
    pub(crate) signing: Identity,
}

impl Credential {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self { shown: identity.public(), signing: identity.clone() }
    }

    fn certified(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.signing.to_pkcs8_der().to_vec()));
        let key = provider.key_provider.load_private_key(der).map_err(TlsError::new)?;
        let info = CertificateDer::from([&KEY_INFO[..], self.shown.as_bytes()].concat());
        Ok(Arc::new(CertifiedKey::new(vec![info], key)))
    }
}

/// The side that accepts: any of `members` may connect.
///
/// # Errors
/// [`TlsError`] when the library refuses the key or the algorithms.
pub(crate) fn server(
    provider: Arc<CryptoProvider>,
    credential: &Credential,
    members: BTreeSet<PublicIdentity>,
) -> Result<ServerConfig, TlsError> {
    let (pinned, key) = (Pinned::new(&provider, members), credential.certified(&provider)?);
    let builder = ServerConfig::builder_with_provider(provider);
    let mut config = builder
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::new)?
        .with_client_cert_verifier(Arc::new(pinned))
        .with_cert_resolver(Arc::new(Always(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// The side that dials: exactly `peer` may answer.
///
/// # Errors
/// [`TlsError`] when the library refuses the key or the algorithms.
pub(crate) fn client(
    provider: Arc<CryptoProvider>,
    credential: &Credential,
    peer: PublicIdentity,
) -> Result<ClientConfig, TlsError> {
    let (pinned, key) = (Pinned::new(&provider, BTreeSet::from([peer])), credential.certified(&provider)?);
    let builder = ClientConfig::builder_with_provider(provider);
    let mut config = builder
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::new)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_client_cert_resolver(Arc::new(Always(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

/// The key in a raw public key "certificate"; `None` for anything else than one canonical ed25519 key.
pub(crate) fn key_of(shown: &CertificateDer<'_>) -> Option<PublicIdentity> {
    let key = shown.strip_prefix(&KEY_INFO)?.try_into().ok()?;
    PublicIdentity::from_bytes(key).ok()
}

/// Accepts the keys it was made with, and ed25519 signatures by them.
#[derive(Debug)]
struct Pinned {
    allowed: BTreeSet<PublicIdentity>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(provider: &CryptoProvider, allowed: BTreeSet<PublicIdentity>) -> Self {
        Self { allowed, algorithms: provider.signature_verification_algorithms }
    }

    fn check(&self, shown: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), Error> {
        let key = key_of(shown).filter(|_| intermediates.is_empty());
        match key {
            None => Err(CertificateError::BadEncoding.into()),
            Some(key) if self.allowed.contains(&key) => Ok(()),
            Some(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SignatureScheme::ED25519 {
            return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
        }
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(shown, intermediates).map(|()| ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, shown, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(shown, intermediates).map(|()| ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, shown, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// Shows the own key, whoever asks.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

impl ResolvesClientCert for Always {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
    fn has_certs(&self) -> bool {
        true
    }
    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_crypto::secret::SecretBytes;
    use rustls::{ClientConnection, Connection, ServerConnection};

    fn member(seed: u8) -> Identity {
        Identity::from_seed(&SecretBytes::new([seed; 32]))
    }

    /// Carries bytes between the two until both are done, or one refuses: whose refusal, and why.
    fn shake_hands(
        client: ClientConfig,
        server: ServerConfig,
    ) -> Result<ServerConnection, (&'static str, Error)> {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        let mut client = Connection::Client(ClientConnection::new(Arc::new(client), name).unwrap());
        let mut server = Connection::Server(ServerConnection::new(Arc::new(server)).unwrap());
        let carry = |from: &mut Connection, to: &mut Connection| {
            let mut bytes = Vec::new();
            while from.wants_write() {
                from.write_tls(&mut bytes).unwrap();
            }
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                to.read_tls(&mut rest).unwrap();
                to.process_new_packets()?;
            }
            Ok::<_, Error>(())
        };
        for _ in 0..4 {
            carry(&mut client, &mut server).map_err(|e| ("server", e))?;
            carry(&mut server, &mut client).map_err(|e| ("client", e))?;
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        match server {
            Connection::Server(server) => Ok(server),
            Connection::Client(_) => unreachable!(),
        }
    }

    fn accepting() -> ServerConfig {
        let members = BTreeSet::from([member(1).public(), member(2).public()]);
        server(provider(), &Credential::of(&member(1)), members).unwrap()
    }

    fn dialing(credential: &Credential) -> ClientConfig {
        client(provider(), credential, member(1).public()).unwrap()
    }

    #[test]
    fn members_meet_with_hybrid_key_exchange_and_know_each_other() {
        let server = shake_hands(dialing(&Credential::of(&member(2))), accepting()).unwrap();
        let group = server.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
        assert_eq!(server.alpn_protocol(), Some(ALPN));
        assert_eq!(key_of(&server.peer_certificates().unwrap()[0]), Some(member(2).public()));
    }

    #[test]
    fn a_valid_key_of_a_stranger_is_refused() {
        let refused = shake_hands(dialing(&Credential::of(&member(3))), accepting()).unwrap_err();
        assert_eq!(refused, ("server", CertificateError::ApplicationVerificationFailure.into()));
    }

    #[test]
    fn a_members_key_without_its_secret_is_refused() {
        let stolen = Credential { shown: member(2).public(), signing: member(3) };
        let refused = shake_hands(dialing(&stolen), accepting()).unwrap_err();
        assert_eq!(refused, ("server", CertificateError::BadSignature.into()));
    }

    #[test]
    fn a_server_that_is_another_member_is_refused() {
        let config = client(provider(), &Credential::of(&member(2)), member(2).public()).unwrap();
        let refused = shake_hands(config, accepting()).unwrap_err();
        assert_eq!(refused, ("client", CertificateError::ApplicationVerificationFailure.into()));
    }

    #[test]
    fn another_protocol_is_refused() {
        let mut config = dialing(&Credential::of(&member(2)));
        config.alpn_protocols = vec![b"counterfoil/0".to_vec()];
        let refused = shake_hands(config, accepting()).unwrap_err();
        assert_eq!(refused, ("server", Error::NoApplicationProtocol));
    }

    #[test]
    fn classical_key_exchange_is_refused() {
        let kx_groups = vec![aws_lc_rs::kx_group::X25519];
        let classical = Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() });
        let config = client(classical, &Credential::of(&member(2)), member(1).public()).unwrap();
        let refused = shake_hands(config, accepting()).unwrap_err();
        assert_eq!(refused, ("server", PeerIncompatible::NoKxGroupsInCommon.into()));
    }

    #[test]
    fn a_chain_or_a_malformed_key_is_refused() {
        let pinned = Pinned::new(&provider(), BTreeSet::from([member(2).public()]));
        let good = CertificateDer::from([&KEY_INFO[..], member(2).public().as_bytes()].concat());
        assert_eq!(pinned.check(&good, &[]), Ok(()));
        let bad_encoding = Err(Error::from(CertificateError::BadEncoding));
        assert_eq!(pinned.check(&good, std::slice::from_ref(&good)), bad_encoding);
        let zero = CertificateDer::from([&KEY_INFO[..], &[0; 32]].concat());
        assert_eq!(pinned.check(&zero, &[]), bad_encoding);
    }
}
