//! Reading a fuzzer's bytes as choices, and changing good bytes by them.

use curve25519_dalek::scalar::Scalar;

/// Bytes that are choices: once they are used up, all that follow are zero.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Big-endian, so that the fuzzer's growing an input changes a small number.
    pub(crate) fn number(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// A choice of `count`, at least one.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let number = if count > 256 { self.number() } else { usize::from(self.byte()) };
        number % count.max(1)
    }

    /// At most `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// A piece with its length in front: one byte, so that pieces stay small.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }
}

/// Words of 32 bytes at which decoders of points and scalars go wrong, if they do.
fn word(choice: u8) -> [u8; 32] {
    let order_less_one = (-Scalar::ONE).to_bytes();
    let mut word = [0; 32];
    match choice % 6 {
        0 => {}
        1 => word = [0xff; 32],
        2 => word[0] = 1,
        3 => word = order_less_one,
        // The group order itself: zero once more, if it is reduced.
        4 => {
            word = order_less_one;
            word[0] += 1;
        }
        _ => word[31] = 0x80,
    }
    word
}

/// The number in these bytes plus the group order: of a scalar, the form that no decoder may take.
pub(crate) fn second_form(scalar: &[u8; 32]) -> [u8; 32] {
    let (mut sum, mut carry) = (*scalar, 1u16);
    for (digit, more) in sum.iter_mut().zip((-Scalar::ONE).to_bytes()) {
        carry += u16::from(*digit) + u16::from(more);
        *digit = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    sum
}

/// Changes `bytes` as the input says, in at most `most` steps, each anywhere or at the beginning of a word of 32 bytes.
pub(crate) fn edit(bytes: &mut Vec<u8>, input: &mut Input<'_>, most: usize) {
    for _ in 0..most {
        if input.is_empty() || bytes.is_empty() {
            return;
        }
        let choice = input.byte();
        let place = |at: usize| if choice >= 128 { at & !31 } else { at };
        let at = place(input.below(bytes.len()));
        match choice % 128 % 9 {
            0 => bytes[at] ^= 1 << (input.byte() % 8),
            1 => bytes[at] = input.byte(),
            2 => bytes[at] = bytes[at].wrapping_add(input.byte()),
            3 => bytes.truncate(at),
            4 => bytes.push(input.byte()),
            5 => {
                let piece = input.piece();
                bytes.splice(at..at, piece.iter().copied());
            }
            6 => overwrite(bytes, at, &word(input.byte())),
            7 => {
                if let Some(scalar) = bytes[at..].first_chunk() {
                    let second = second_form(scalar);
                    overwrite(bytes, at, &second);
                }
            }
            // What stands elsewhere, moved here: a swapped point, handle or proof.
            _ => {
                let from = place(input.below(bytes.len()));
                let piece = bytes[from..].iter().copied().take(32).collect::<Vec<_>>();
                overwrite(bytes, at, &piece);
            }
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    bytes[at..].iter_mut().zip(with).for_each(|(to, from)| *to = *from);
}
