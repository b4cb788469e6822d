//! Sealed sections and envelopes.

use super::{SealError, Sealer};
use crate::{
    batch::{
        IDENTITY_CLASS, IDENTITY_SECTION, Record, TERMS_CLASS, TERMS_SECTION, envelope_context,
        section_context, share_class,
    },
    draft::NewLoan,
    genesis::Peer,
    names::{Hash, MemberId},
    share::{IdentityText, Share, TermsText},
};
use counterfoil_crypto::{
    envelope::{Envelope, Section, TooLong},
    labels,
    secret::SecretBytes,
};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

impl Sealer<'_> {
    pub(super) fn share_sections(
        &self,
        record: u16,
        texts: impl Iterator<Item = (Share, MemberId)>,
    ) -> Result<Vec<Section>, SealError> {
        let one = |(number, (share, owner)): (u16, (Share, MemberId))| {
            self.section(record, number, &share, share_class(self.header.kind), &[owner], true)
                .map_err(|source| SealError::Text { reference: String::new(), source })
        };
        (0u16..).zip(texts).map(one).collect()
    }

    pub(super) fn new_record(
        &self,
        record: u16,
        loan: &NewLoan,
        owners: &[MemberId],
        texts: Vec<(Share, MemberId)>,
    ) -> Result<Record, SealError> {
        let text = |source| SealError::Text { reference: loan.reference.clone(), source };
        let shard = self.shard_id(&loan.reference);
        let identity = IdentityText { reference: loan.reference.clone(), shard };
        let terms = TermsText { principal: loan.principal, text: loan.terms.clone() };
        let identity =
            self.section(record, IDENTITY_SECTION, &identity, IDENTITY_CLASS, owners, false).map_err(text)?;
        let terms = self.section(record, TERMS_SECTION, &terms, TERMS_CLASS, owners, true).map_err(text)?;
        let shares = self.share_sections(record, texts.into_iter())?;
        Ok(Record { shares, identity: Some(identity), terms: Some(terms) })
    }

    /// The customer's shard: a pseudonym that only this servicer can make.
    pub(super) fn shard_id(&self, reference: &str) -> Hash {
        let key = blake3::derive_key(labels::SHARD_ID_KDF, self.wallet.keys.identity.to_seed().expose());
        *blake3::keyed_hash(&key, reference.as_bytes()).as_bytes()
    }

    pub(super) fn section(
        &self,
        record: u16,
        number: u16,
        text: &impl borsh::BorshSerialize,
        class: u16,
        owners: &[MemberId],
        audited: bool,
    ) -> Result<Section, TooLong> {
        let auditors = if audited { self.terms.auditors.as_slice() } else { &[] };
        let viewers: Vec<_> = owners.iter().chain(auditors).map(|id| self.seed.viewer_key(*id)).collect();
        let plain = Zeroizing::new(borsh::to_vec(text).unwrap_or_default());
        let context = section_context(&self.header, record, number);
        Section::seal(&self.seed.section_key(record, number), &context, &plain, class, &viewers)
    }

    /// One envelope per member: the servicer's holds the seed, the others' their viewer keys.
    pub(super) fn envelopes(&self, entropy: &SecretBytes, rng: &mut impl CryptoRngCore) -> Vec<Envelope> {
        let seal = |(id, peer): (MemberId, &Peer)| {
            let key = if id == self.wallet.me { entropy.clone() } else { self.seed.viewer_key(id) };
            let context = envelope_context(&self.header, id);
            peer.member
                .envelope_key
                .seal(&context, &key, rng)
                .expect("envelope keys were checked with the genesis")
        };
        self.consortium().peers().map(seal).collect()
    }
}
