//! Tests.

use super::*;
use rand_core::OsRng;

fn key() -> SecretBytes {
    SecretBytes::random(&mut OsRng)
}

#[test]
fn an_envelope_opens_for_its_key_and_context_only() {
    let (mine, other) = (EnvelopeKey::from_seed(&key()), EnvelopeKey::from_seed(&key()));
    let viewer = key();
    let envelope = mine.public().seal(b"batch 1", &viewer, &mut OsRng).unwrap();
    assert_eq!(mine.open(b"batch 1", &envelope).unwrap(), viewer);
    assert_eq!(mine.open(b"batch 2", &envelope), Err(Unreadable));
    assert_eq!(other.open(b"batch 1", &envelope), Err(Unreadable));
}

#[test]
fn a_section_opens_for_its_viewers_at_their_place() {
    let (section_key, viewers) = (key(), [key(), key()]);
    let section = Section::seal(&section_key, b"c", b"hello", 64, &viewers).unwrap();
    assert_eq!(section.ciphertext.len(), Section::ciphertext_len(64));
    assert_eq!(section.open(&viewers[1], 1, b"c").unwrap().as_slice(), b"hello");
    assert_eq!(section.open_with(&section_key, b"c").unwrap().as_slice(), b"hello");
    assert_eq!(section.open(&viewers[1], 0, b"c"), Err(Unreadable));
    assert_eq!(section.open(&viewers[0], 0, b"d"), Err(Unreadable));
    assert_eq!(section.open(&key(), 0, b"c"), Err(Unreadable));
    let mut changed = section;
    changed.ciphertext[3] ^= 1;
    assert_eq!(changed.open(&viewers[0], 0, b"c"), Err(Unreadable));
}

#[test]
fn wraps_for_one_viewer_are_all_different() {
    let viewer = key();
    let section = Section::seal(&key(), b"c", b"hello", 64, &[viewer.clone(), viewer.clone()]).unwrap();
    assert_ne!(section.wraps[0], section.wraps[1]);
    for place in 0..2 {
        assert_eq!(section.open(&viewer, place, b"c").unwrap().as_slice(), b"hello");
    }
}

#[test]
fn length_says_nothing_and_has_a_bound() {
    let seal = |n: usize| Section::seal(&key(), b"", &vec![1; n], 64, &[]);
    assert_eq!(seal(0).unwrap().ciphertext.len(), seal(64).unwrap().ciphertext.len());
    assert_eq!(seal(65), Err(TooLong { length: 65, class: 64 }));
}

#[test]
fn a_small_order_key_is_refused() {
    assert_eq!(PublicEnvelopeKey::from_bytes([0; 32], &mut OsRng), Err(Unreadable));
}
