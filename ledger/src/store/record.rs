//! The bytes of the log. All integers are little-endian.
//!
//! ```text
//! segment = "CFLOG\0\0" version:u8 | first height:u64 | check:8 | previous checksum:32 | record*
//! record  = "CFR\x01"              | height:u64 | length:u32 | check:8 | payload | checksum:32
//!
//! check    = first 8 bytes of H(the other header fields)    the length is trusted only after it
//! checksum = H(previous checksum ‖ record header ‖ payload)  the first record's previous checksum is zero
//! ```
//!
//! H is blake3 under a constant key: it finds accidents and swapped files, not forgery; that an entry is the one the
//! members agreed on is shown by its certificate. Because each checksum covers the one before, records cannot change
//! places and segments of different logs do not fit together. The 32 bytes before a record always are its previous
//! checksum, so that one record can be read and verified on its own.

use std::sync::LazyLock;

/// A record's checksum, and the link to the next.
pub(super) type Checksum = [u8; 32];

/// The largest payload, checked before memory is allocated.
pub const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

const SEGMENT_MAGIC: [u8; 8] = *b"CFLOG\0\0\x01";
/// What a record begins with.
pub(super) const RECORD_MAGIC: [u8; 4] = *b"CFR\x01";
/// Bytes of a segment's header; the first record follows.
pub(super) const SEGMENT_HEADER: usize = 56;
/// Bytes of a record's header; the payload follows.
pub(super) const RECORD_HEADER: usize = 24;
/// Bytes of a checksum.
pub(super) const CHECKSUM: usize = 32;
/// The most that one append writes.
pub(super) const MAX_APPEND: u64 = (SEGMENT_HEADER + RECORD_HEADER + MAX_PAYLOAD + CHECKSUM) as u64;

static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| blake3::derive_key("counterfoil log v1", b""));

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) first: u64,
    pub(super) previous: Checksum,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let check = self.check();
        [SEGMENT_MAGIC.as_slice(), &self.first.to_le_bytes(), &check, &self.previous].concat()
    }

    /// `None` if the bytes are not a whole header.
    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (check, rest) = rest.split_first_chunk::<8>()?;
        let header = Self { first: u64::from_le_bytes(*first), previous: *rest.first_chunk()? };
        (*magic == SEGMENT_MAGIC && *check == header.check()).then_some(header)
    }

    fn check(&self) -> [u8; 8] {
        short_hash(&[&SEGMENT_MAGIC, &self.first.to_le_bytes(), &self.previous])
    }
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) height: u64,
    pub(super) length: u32,
}

impl RecordHeader {
    /// `None` if the bytes are not a whole header or name more than the maximum.
    pub(super) fn decode(bytes: &[u8; RECORD_HEADER]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (height, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let header = Self { height: u64::from_le_bytes(*height), length: u32::from_le_bytes(*length) };
        let whole = *magic == RECORD_MAGIC && header.encode().ends_with(rest);
        (whole && header.payload() <= MAX_PAYLOAD).then_some(header)
    }

    pub(super) fn encode(&self) -> [u8; RECORD_HEADER] {
        let (height, length) = (self.height.to_le_bytes(), self.length.to_le_bytes());
        let check = short_hash(&[&RECORD_MAGIC, &height, &length]);
        let mut bytes = [0; RECORD_HEADER];
        let fields = RECORD_MAGIC.iter().chain(&height).chain(&length).chain(&check);
        bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = *field);
        bytes
    }

    /// Bytes of the payload.
    pub(super) fn payload(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// Bytes of the whole record.
    pub(super) fn size(&self) -> u64 {
        u64::from(self.length).saturating_add((RECORD_HEADER + CHECKSUM) as u64)
    }

    pub(super) fn checksum(&self, previous: &Checksum, payload: &[u8]) -> Checksum {
        hash(&[previous, &self.encode(), payload])
    }
}

/// Under the log's key.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(&KEY);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(super) fn short_hash(parts: &[&[u8]]) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(hash(parts)).for_each(|(short, byte)| *short = byte);
    short
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests {
    use super::*;

    #[test]
    fn headers_decode_to_what_was_encoded_and_no_flipped_bit_is_taken() {
        let record = RecordHeader { height: 7, length: 1000 };
        let segment = SegmentHeader { first: 9, previous: [3; 32] };
        let segment_bytes: [u8; SEGMENT_HEADER] = segment.encode().try_into().unwrap();
        assert_eq!(RecordHeader::decode(&record.encode()), Some(record));
        assert_eq!(SegmentHeader::decode(&segment_bytes), Some(segment));
        for bit in 0..RECORD_HEADER * 8 {
            let mut bytes = record.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(&bytes), None, "bit {bit}");
        }
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut bytes = segment_bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn the_format_is_pinned() {
        let header = RecordHeader { height: 1, length: 5 };
        let bytes = [header.encode().as_slice(), &header.checksum(&[0; 32], b"entry")].concat();
        assert_eq!(
            blake3::hash(&bytes).to_hex().as_str(),
            "ef9ca1ca26ede3f275d66b9d711ced39b15151278c755cd5c8209b2dc5a74117"
        );
        let segment = SegmentHeader { first: 1, previous: [0; 32] }.encode();
        assert_eq!(
            blake3::hash(&segment).to_hex().as_str(),
            "ffc14bdee992667c5a3a49177a0675d0fa96a6fce9c4499351b3625dd3a7f3ea"
        );
    }

    #[test]
    fn a_length_over_the_maximum_is_not_a_header() {
        let header = RecordHeader { height: 1, length: u32::MAX };
        assert_eq!(RecordHeader::decode(&header.encode()), None);
    }
}
