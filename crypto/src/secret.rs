//! Secret bytes: erased when dropped, compared in constant time, never printed.

use rand_core::CryptoRngCore;
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 secret bytes: a key, a seed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes([u8; 32]);

impl SecretBytes {
    /// Takes 32 bytes into custody.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 fresh random bytes.
    pub fn random(rng: &mut impl CryptoRngCore) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Lends the bytes out; the name makes every such place easy to find.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Appends secrets. A `Vec` that grows by itself moves its contents and leaves a copy behind; here they are copied, and the
/// old place is erased.
pub fn append<T: Zeroize + Clone>(secrets: &mut Zeroizing<Vec<T>>, more: &[T]) {
    let needed = secrets.len().saturating_add(more.len());
    if needed > secrets.capacity() {
        let mut roomy = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
        roomy.extend_from_slice(secrets);
        *secrets = roomy;
    }
    secrets.extend_from_slice(more);
}

/// Makes room for one more secret in the same way, where each erases itself when it is dropped.
pub fn make_room<T: Clone>(secrets: &mut Vec<T>) {
    if secrets.len() == secrets.capacity() {
        let mut roomy = Vec::with_capacity(secrets.len().saturating_add(1).saturating_mul(2));
        roomy.extend_from_slice(secrets);
        *secrets = roomy;
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_grow_stay_what_they_are() {
        let (mut appended, mut pushed) = (Zeroizing::<Vec<u32>>::default(), Vec::new());
        for n in 0..100u32 {
            append(&mut appended, &[n, n]);
            let before = appended.capacity();
            append(&mut appended, &[]);
            assert_eq!(appended.capacity(), before);
            make_room(&mut pushed);
            assert!(pushed.capacity() > pushed.len());
            pushed.push(n);
        }
        assert!(pushed.iter().copied().eq(0..100));
        assert!(appended.iter().copied().eq((0..100).flat_map(|n| [n, n])));
    }
}
