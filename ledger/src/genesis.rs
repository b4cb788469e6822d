//! The genesis: members, keys, products. Its hash is the consortium's id.
//!
//! A member registers with one record that holds its three public keys, a proof that it possesses the view key, and a
//! signature of its identity key over all of it. [`Consortium::found`] checks every record and refuses keys that are
//! doubled, weak or not canonical; a `Consortium` is therefore proof that the checks were made.

use crate::names::{Hash, MemberId, ProductId};
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil_crypto::{
    encoding::Encoded,
    envelope::{EnvelopeKey, PublicEnvelopeKey},
    identity::{Identity, PublicIdentity, Signature},
    labels,
    secret::SecretBytes,
    view_key::{PublicViewKey, ViewKey},
};
use counterfoil_policy::Product;
use rand_core::CryptoRngCore;
use std::collections::BTreeSet;

/// Most members of a consortium: postings grow with it.
pub const MAX_MEMBERS: usize = 64;
/// Most products of a consortium.
pub const MAX_PRODUCTS: usize = 256;

/// Most pairs of bank and product: an attestation lists the control accounts of all of them and must fit into a block.
pub const MAX_PAIRS: usize = 1024;
/// Blocks in an epoch, unless the genesis says otherwise.
pub const EPOCH_BLOCKS: u32 = 256;

/// What a member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// Lends, services loans, runs a validating node.
    Bank,
    /// Observes, opens what the policy grants; no vote.
    Regulator,
}

/// A member as it registers: all public.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Member {
    /// 1 to 32 characters of `a-z`, `0-9` and `-`.
    pub name: String,
    /// Bank or regulator.
    pub role: Role,
    /// Names the member in TLS, signatures and votes.
    pub identity: PublicIdentity,
    /// Handles are made to it.
    pub view_key: Encoded,
    /// Sealed sections are addressed to it.
    pub envelope_key: PublicEnvelopeKey,
    /// Proof of possession of the view key.
    pub possession: Vec<u8>,
    /// By the identity key, over everything above.
    pub signature: Signature,
}

/// A member's secret keys, all from one 32-byte seed. Erased when dropped, never printed.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs batches, votes and TLS handshakes.
    pub identity: Identity,
    /// Opens handles.
    pub view: ViewKey,
    /// Opens envelopes.
    pub envelope: EnvelopeKey,
}

impl Keys {
    /// The keys of a seed.
    #[must_use]
    pub fn from_seed(seed: &SecretBytes) -> Self {
        let derive = |n: u8| SecretBytes::new(*blake3::keyed_hash(seed.expose(), &[n]).as_bytes());
        Self {
            identity: Identity::from_seed(&derive(0)),
            view: ViewKey::from_seed(&derive(1)),
            envelope: EnvelopeKey::from_seed(&derive(2)),
        }
    }

    /// The member's registration record.
    pub fn register(&self, name: &str, role: Role, rng: &mut impl CryptoRngCore) -> Member {
        let identity = self.identity.public();
        let mut member = Member {
            name: name.to_owned(),
            role,
            identity,
            view_key: self.view.public().encoded(),
            envelope_key: self.envelope.public(),
            possession: self.view.prove_possession(&possession_context(name, &identity), rng),
            signature: Signature::from_bytes([0; 64]),
        };
        member.signature = self.identity.sign(labels::REGISTRATION_SIGNATURE, &member.signed_bytes());
        member
    }
}

impl Member {
    /// Checks the record alone: name, keys, possession, signature.
    ///
    /// # Errors
    /// [`GenesisError`] names the member and what is wrong.
    pub fn check(&self) -> Result<PublicViewKey, GenesisError> {
        let wrong = |what| GenesisError::Member { name: self.name.clone(), what };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(allowed) {
            return Err(wrong("its name is not 1 to 32 characters of a-z, 0-9 and -"));
        }
        let view_key =
            PublicViewKey::decode(self.view_key).map_err(|_| wrong("its view key is not valid"))?;
        view_key
            .verify_possession(&possession_context(&self.name, &self.identity), &self.possession)
            .map_err(|_| wrong("it has not proven that it possesses its view key"))?;
        PublicEnvelopeKey::from_bytes(*self.envelope_key.as_bytes(), &mut rand_core::OsRng)
            .map_err(|_| wrong("its envelope key is not valid"))?;
        self.identity.verify(labels::REGISTRATION_SIGNATURE, &self.signed_bytes(), &self.signature).map_err(
            |_| wrong("its registration is not signed by its identity key; run `counterfoil keygen` again"),
        )?;
        Ok(view_key)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let unsigned = Self { signature: Signature::from_bytes([0; 64]), ..self.clone() };
        borsh::to_vec(&unsigned).unwrap_or_default()
    }
}

fn possession_context(name: &str, identity: &PublicIdentity) -> Vec<u8> {
    [name.as_bytes(), &[0], identity.as_bytes()].concat()
}

/// The genesis as bytes: members in order, products as canonical text.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Genesis {
    /// Version of this format: 1.
    pub version: u8,
    /// The consortium's name.
    pub name: String,
    /// Members; their place is their id.
    pub members: Vec<Member>,
    /// Products as text, in the form of [`Product::parse`]; their place is their id.
    pub products: Vec<String>,
    /// Blocks with batches in an epoch, at whose end every bank attests its control accounts.
    pub epoch_blocks: u32,
}

/// A member whose record was checked.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The record.
    pub member: Member,
    /// Its decoded view key.
    pub view_key: PublicViewKey,
}

/// A product with what its text says about members resolved.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The product file.
    pub product: Product,
    /// Its hash: the policy that a batch names.
    pub policy: Hash,
    /// Auditors, in the order of the product file.
    pub auditors: Vec<MemberId>,
}

/// A genesis whose members and products were all checked.
#[derive(Clone, Debug)]
pub struct Consortium {
    id: Hash,
    genesis: Genesis,
    peers: Vec<Peer>,
    banks: Vec<MemberId>,
    terms: Vec<Terms>,
}

impl Consortium {
    /// Checks a genesis.
    ///
    /// # Errors
    /// [`GenesisError`] names the member or product at fault and what to do.
    pub fn found(genesis: Genesis) -> Result<Self, GenesisError> {
        if genesis.version != 1 {
            return Err(GenesisError::Version(genesis.version));
        }
        if genesis.members.len() > MAX_MEMBERS || genesis.products.len() > MAX_PRODUCTS {
            return Err(GenesisError::TooMany);
        }
        if genesis.epoch_blocks == 0 {
            return Err(GenesisError::Epoch);
        }
        let mut seen = BTreeSet::new();
        let mut peers = Vec::new();
        for member in &genesis.members {
            let view_key = member.check()?;
            let marks = [
                member.name.clone().into_bytes(),
                member.identity.as_bytes().to_vec(),
                member.view_key.as_bytes().to_vec(),
                member.envelope_key.as_bytes().to_vec(),
            ];
            // Attack 9: one key under two names would count a vote, or open a handle, twice.
            if !marks.into_iter().zip(0u8..).all(|mark| seen.insert(mark)) {
                return Err(GenesisError::Doubled { name: member.name.clone() });
            }
            peers.push(Peer { member: member.clone(), view_key });
        }
        let ids = (0u16..).map(MemberId);
        let banks: Vec<_> =
            peers.iter().zip(ids).filter(|(p, _)| p.member.role == Role::Bank).map(|(_, id)| id).collect();
        if banks.is_empty() {
            return Err(GenesisError::NoBank);
        }
        if banks.len().saturating_mul(genesis.products.len()) > MAX_PAIRS {
            return Err(GenesisError::TooMany);
        }
        let id = blake3::derive_key(labels::GENESIS_HASH, &borsh::to_vec(&genesis).unwrap_or_default());
        let mut consortium = Self { id, genesis, peers, banks, terms: Vec::new() };
        for text in consortium.genesis.products.clone() {
            let terms = consortium.resolve(&text)?;
            consortium.terms.push(terms);
        }
        Ok(consortium)
    }

    fn resolve(&self, text: &str) -> Result<Terms, GenesisError> {
        let product = Product::parse(text).map_err(|e| GenesisError::Product(e.to_string()))?;
        let unknown = |name: &str| {
            GenesisError::Product(format!("product {}: no member is called {name}", product.name()))
        };
        for name in product.weights().keys() {
            let id = self.member_named(name).ok_or_else(|| unknown(name))?;
            if !self.banks.contains(&id) {
                return Err(GenesisError::Product(format!(
                    "product {}: {name} has a weight but is no bank",
                    product.name()
                )));
            }
        }
        let auditors =
            product.auditors().iter().map(|name| self.member_named(name).ok_or_else(|| unknown(name)));
        let auditors = auditors.collect::<Result<_, _>>()?;
        Ok(Terms { policy: product.hash(), auditors, product })
    }

    /// The consortium's id: the hash of its genesis.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The genesis.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// A member, or `None` when there is none of this id.
    #[must_use]
    pub fn peer(&self, id: MemberId) -> Option<&Peer> {
        self.peers.get(usize::from(id.0))
    }

    /// All members with their ids.
    pub fn peers(&self) -> impl Iterator<Item = (MemberId, &Peer)> {
        (0u16..).map(MemberId).zip(&self.peers)
    }

    /// A member's name, for people.
    #[must_use]
    pub fn name(&self, id: MemberId) -> &str {
        self.peer(id).map_or("?", |peer| &peer.member.name)
    }

    /// The member of this name.
    #[must_use]
    pub fn member_named(&self, name: &str) -> Option<MemberId> {
        self.peers().find(|(_, peer)| peer.member.name == name).map(|(id, _)| id)
    }

    /// The member of this identity key.
    #[must_use]
    pub fn member_of(&self, identity: &PublicIdentity) -> Option<MemberId> {
        self.peers().find(|(_, peer)| peer.member.identity == *identity).map(|(id, _)| id)
    }

    /// The banks, in member order: postings stand in this order, and each has one vote.
    #[must_use]
    pub fn banks(&self) -> &[MemberId] {
        &self.banks
    }

    /// The place of a bank among the banks.
    #[must_use]
    pub fn bank_index(&self, id: MemberId) -> Option<usize> {
        self.banks.iter().position(|bank| *bank == id)
    }

    /// The identity keys of the banks, in the order of certificates.
    #[must_use]
    pub fn validators(&self) -> Vec<PublicIdentity> {
        self.banks.iter().filter_map(|id| self.peer(*id)).map(|peer| peer.member.identity).collect()
    }

    /// A product with its auditors.
    #[must_use]
    pub fn terms(&self, id: ProductId) -> Option<&Terms> {
        self.terms.get(usize::from(id.0))
    }

    /// All products with their ids.
    pub fn products(&self) -> impl Iterator<Item = (ProductId, &Terms)> {
        (0u16..).map(ProductId).zip(&self.terms)
    }

    /// The view keys of a product's auditors, in its order.
    #[must_use]
    pub fn auditor_keys(&self, terms: &Terms) -> Vec<PublicViewKey> {
        terms.auditors.iter().filter_map(|id| self.peer(*id)).map(|peer| peer.view_key.clone()).collect()
    }
}

/// Why a genesis is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The format is of another version.
    #[error("genesis version {0} is not known; this program reads version 1")]
    Version(u8),
    /// Too many members or products, or of both together.
    #[error(
        "more than {MAX_MEMBERS} members, {MAX_PRODUCTS} products, or {MAX_PAIRS} pairs of a bank and a product"
    )]
    TooMany,
    /// An epoch without blocks.
    #[error("an epoch needs at least one block; give --epoch-blocks 1 or more")]
    Epoch,
    /// There is no bank.
    #[error("a consortium needs at least one bank")]
    NoBank,
    /// A member's record is wrong.
    #[error("member {name:?}: {what}")]
    Member {
        /// The member's name.
        name: String,
        /// What is wrong, and the remedy.
        what: &'static str,
    },
    /// A name or key is used twice.
    #[error("member {name:?}: its name or one of its keys is registered twice")]
    Doubled {
        /// The second member's name.
        name: String,
    },
    /// A product file is wrong.
    #[error("{0}")]
    Product(String),
}
