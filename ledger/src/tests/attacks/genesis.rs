//! Attack 9, where members register: keys that are not one's own, keys that are another's, keys that open everything.

use super::forge::scene;
use crate::genesis::{Consortium, Genesis, GenesisError, Keys, Member, Role};
use counterfoil_crypto::{encoding::Encoded, envelope::PublicEnvelopeKey, labels, secret::SecretBytes};
use rand_core::OsRng;

fn keys() -> Keys {
    Keys::from_seed(&SecretBytes::random(&mut OsRng))
}

/// The refusal of a genesis with one more bank.
fn refusal(member: Member) -> Option<GenesisError> {
    let mut genesis: Genesis = scene().wallet.consortium.genesis().clone();
    genesis.members.push(member);
    Consortium::found(genesis).err()
}

/// A record with one thing changed and signed again: the signature is never what refuses it.
fn registered(change: impl FnOnce(&mut Member, &Keys)) -> Member {
    let keys = keys();
    let mut member = keys.register("bank-e", Role::Bank, &mut OsRng);
    change(&mut member, &keys);
    member.signature = counterfoil_crypto::identity::Signature::from_bytes([0; 64]);
    let bytes = borsh::to_vec(&member).unwrap();
    member.signature = keys.identity.sign(labels::REGISTRATION_SIGNATURE, &bytes);
    member
}

fn says(error: Option<GenesisError>, what: &str) {
    let Some(error) = error else { panic!("accepted") };
    assert!(error.to_string().contains(what), "{error}");
}

#[test]
fn a_new_bank_may_register() {
    assert_eq!(refusal(registered(|_, _| {})), None);
}

#[test]
fn a_rogue_view_key_is_not_possessed() {
    let other = scene().wallet.consortium.peers().nth(1).unwrap().1.view_key.point();
    let rogue =
        registered(|member, keys| member.view_key = Encoded::from(&(other - keys.view.public().point())));
    says(refusal(rogue), "possesses");
    // Another's key with another's proof: made for its name and identity.
    let victim = scene().wallet.consortium.genesis().members[1].clone();
    let copied =
        registered(|member, _| (member.view_key, member.possession) = (victim.view_key, victim.possession));
    says(refusal(copied), "possesses");
}

#[test]
fn keys_that_open_everything_are_refused() {
    says(
        refusal(registered(|member, _| member.view_key = Encoded::from_bytes([0; 32]))),
        "view key is not valid",
    );
    says(
        refusal(registered(|member, _| member.view_key = Encoded::from_bytes([0xff; 32]))),
        "view key is not valid",
    );
    let zero: PublicEnvelopeKey = borsh::from_slice(&[0; 32]).unwrap();
    says(refusal(registered(|member, _| member.envelope_key = zero)), "envelope key is not valid");
}

#[test]
fn a_record_is_signed_as_it_stands() {
    let mut member = keys().register("bank-e", Role::Bank, &mut OsRng);
    member.role = Role::Regulator;
    says(refusal(member), "not signed");
}

#[test]
fn names_and_keys_are_registered_once() {
    let consortium = &scene().wallet.consortium;
    let doubled = |member| matches!(refusal(member), Some(GenesisError::Doubled { .. }));
    assert!(doubled(consortium.genesis().members[2].clone()));
    assert!(doubled(keys().register("bank-b", Role::Bank, &mut OsRng)));
    assert!(doubled(scene().wallet.keys.register("bank-e", Role::Bank, &mut OsRng)));
    let envelope = consortium.genesis().members[1].envelope_key;
    assert!(doubled(registered(|member, _| member.envelope_key = envelope)));
}
