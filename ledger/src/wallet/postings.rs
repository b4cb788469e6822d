//! From a batch's sections back to its postings, as the servicer knows them.

use crate::{
    batch::{Content, Header, Records, section_context},
    body::SealedBody,
    genesis::Consortium,
    names::{Component, MemberId},
    seed::{Seed, posting_blinding},
    share::Share,
};
use counterfoil_crypto::{pedersen::Opening, relation::Witness as _};
use curve25519_dalek::scalar::Scalar;

/// The `share` sections of a record, opened with the servicer's seed.
pub(super) fn shares(header: &Header, records: &Records, seed: &Seed, record: u16) -> Option<Vec<Share>> {
    let sections = &records.records.get(usize::from(record))?.shares;
    let open = |(section, number): (&counterfoil_crypto::envelope::Section, u16)| {
        let context = section_context(header, record, number);
        let plain = section.open_with(&seed.section_key(record, number), &context).ok()?;
        borsh::from_slice(&plain).ok()
    };
    sections.iter().zip(0u16..).map(open).collect()
}

/// The openings of a batch's postings, as its servicer knows them: per component, per bank. Not of what goes into reserves or
/// out of them, which has no movements.
pub(crate) fn posting_openings(
    consortium: &Consortium,
    content: &Content,
    records: &Records,
    seed: &Seed,
) -> Option<Vec<(Component, Vec<Opening>)>> {
    let header = &content.header;
    let components = components(&content.body);
    let mut sums: Vec<_> = components.iter().map(|_| Postings::new(consortium)).collect();
    for record in 0..u16::try_from(records.records.len()).ok()? {
        for (place, share) in shares(header, records, seed, record)?.into_iter().enumerate() {
            for (component, amount) in share.amounts() {
                let component = content.body.posted_as((usize::from(record), place), component);
                let sum = components.iter().position(|other| *other == component)?;
                sums.get_mut(sum)?.add(share.owner()?, &amount.opening()?)?;
            }
        }
    }
    let sealed = components.into_iter().zip(sums);
    Some(sealed.map(|(component, sums)| (component, sums.seal(seed, header.servicer, component))).collect())
}

fn components(body: &SealedBody) -> Vec<Component> {
    body.postings().into_iter().map(|(component, _)| component).collect()
}

/// Sums of movements per bank, on the way to postings.
pub(crate) struct Postings {
    banks: Vec<MemberId>,
    sums: Vec<Opening>,
}

impl Postings {
    pub(crate) fn new(consortium: &Consortium) -> Self {
        let zero = Opening { value: Scalar::ZERO, blinding: Scalar::ZERO };
        Self { banks: consortium.banks().to_vec(), sums: vec![zero; consortium.banks().len()] }
    }

    /// Adds a movement to its owner's sum; `None` when the owner is no bank.
    pub(crate) fn add(&mut self, owner: MemberId, movement: &Opening) -> Option<()> {
        let index = self.banks.iter().position(|bank| *bank == owner)?;
        let sum = self.sums.get_mut(index)?;
        *sum = sum.plus(movement, Scalar::ONE);
        Some(())
    }

    /// The sums alone.
    pub(crate) fn into_values(self) -> Vec<Scalar> {
        self.sums.iter().map(|sum| sum.value).collect()
    }

    /// The postings' openings: each bank's sum under a fresh blinding that the bank can compute itself (`posting_blinding`),
    /// but for the servicer's, which makes all blindings sum to those of the movements: so the two books agree as points,
    /// and every bank can open its own. (A posting that was the bare sum of its bank's movements could be taken apart by
    /// trying which subset sums to it.)
    pub(crate) fn seal(self, seed: &Seed, servicer: MemberId, component: Component) -> Vec<Opening> {
        let total: Scalar = self.sums.iter().map(|sum| sum.blinding).sum();
        let blinding = |bank: &MemberId| posting_blinding(&seed.viewer_key(*bank), component);
        let others: Scalar = self.banks.iter().filter(|bank| **bank != servicer).map(blinding).sum();
        let own = |bank: &MemberId| if *bank == servicer { total - others } else { blinding(bank) };
        let sums = self.banks.iter().zip(&self.sums);
        sums.map(|(bank, sum)| Opening { value: sum.value, blinding: own(bank) }).collect()
    }
}
