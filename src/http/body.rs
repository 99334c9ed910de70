//! Bodies as they arrive: in one piece, or in blocks when they are long. But for the first, blocks are kept packed: a list
//! says the same again and again, and of a million rows it takes a fraction of the room.

use std::collections::VecDeque;
use std::io::{self, Read, Write as _};

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Smaller makes many allocations of a long body, larger reserves for short ones what they never use.
pub(super) const BLOCK: usize = 256 * 1024;

/// A block that waits to be read.
#[derive(Clone, Debug)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    pub(super) fn new(block: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(block.len() / 4), Compression::fast());
        // Writing to a vector cannot fail.
        let packed = encoder.write_all(block).and_then(|()| encoder.finish()).unwrap_or_default();
        Self(packed.into_boxed_slice())
    }

    fn unpacked(&self) -> io::Result<Bytes> {
        let mut block = Vec::with_capacity(BLOCK);
        DeflateDecoder::new(&*self.0).read_to_end(&mut block)?;
        Ok(block.into())
    }
}

/// A body that grows. In one piece it moves to a place of twice the size whenever it is full; blocks stay where they are.
#[derive(Debug)]
pub(super) struct Growing {
    block: usize,
    first: Option<Bytes>,
    full: VecDeque<Packed>,
    last: BytesMut,
    len: usize,
}

impl Growing {
    pub(super) fn in_one_piece() -> Self {
        Self::in_blocks_of(usize::MAX)
    }

    pub(super) fn in_blocks() -> Self {
        Self::in_blocks_of(BLOCK)
    }

    fn in_blocks_of(block: usize) -> Self {
        Self { block, first: None, full: VecDeque::new(), last: BytesMut::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, mut chunk: &[u8]) {
        self.len += chunk.len();
        while !chunk.is_empty() {
            if self.last.len() == self.block {
                self.put_away();
            }
            let (fits, left) = chunk.split_at(chunk.len().min(self.block - self.last.len()));
            self.last.extend_from_slice(fits);
            chunk = left;
        }
    }

    /// The first block, and the others.
    pub(super) fn finish(mut self) -> (Bytes, VecDeque<Packed>) {
        match self.first.take() {
            None => (self.last.freeze(), self.full),
            Some(first) => {
                self.full.push_back(Packed::new(&self.last));
                (first, self.full)
            }
        }
    }

    fn put_away(&mut self) {
        if self.first.is_some() {
            self.full.push_back(Packed::new(&self.last));
            self.last.clear();
        } else {
            let first = std::mem::replace(&mut self.last, BytesMut::with_capacity(self.block));
            self.first = Some(first.freeze());
        }
    }
}

/// Reads blocks one after the other, and frees each when it is read.
#[derive(Debug)]
pub(super) struct Blocks {
    now: Bytes,
    left: VecDeque<Packed>,
}

impl Blocks {
    pub(super) fn new(first: Bytes, left: VecDeque<Packed>) -> Self {
        Self { now: first, left }
    }
}

impl Read for Blocks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            let Some(next) = self.left.pop_front() else { return Ok(0) };
            self.now = next.unpacked()?;
        }
        let count = self.now.len().min(into.len());
        self.now.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(mut body: Growing, chunks: &[usize]) -> (Growing, Vec<u8>) {
        let mut whole = Vec::new();
        for (index, length) in chunks.iter().enumerate() {
            let chunk = vec![u8::try_from(index % 251).unwrap(); *length];
            body.push(&chunk);
            whole.extend(chunk);
        }
        (body, whole)
    }

    #[test]
    fn a_body_is_the_same_however_it_came_and_is_kept() {
        for chunks in [&[][..], &[1], &[BLOCK], &[BLOCK + 1], &[977; 1000], &[3 * BLOCK, 0, 5, BLOCK - 5]] {
            let (body, whole) = filled(Growing::in_one_piece(), chunks);
            assert_eq!(body.len(), whole.len());
            let (first, rest) = body.finish();
            assert_eq!((&first[..], rest.len()), (&whole[..], 0));

            let (first, rest) = filled(Growing::in_blocks(), chunks).0.finish();
            let mut read = Vec::new();
            Blocks::new(first, rest).read_to_end(&mut read).unwrap();
            assert!(read == whole, "{} bytes of {}", read.len(), whole.len());
        }
    }

    #[test]
    fn a_long_list_takes_a_quarter_of_its_length_and_ever_less_while_it_is_read() {
        let kept = |full: &VecDeque<Packed>| full.iter().map(|packed| packed.0.len()).sum::<usize>();
        let mut body = Growing::in_blocks();
        for number in 0..200_000_u64 {
            let (digits, sold) = (number * 7919 % 200_000, number * 31 % 977);
            body.push(format!("{{\"sku\":\"P-{digits:06}\",\"qty\":{sold}.0000,\"is_salable\":true}},").as_bytes());
        }
        let len = body.len();
        assert!(kept(&body.full) + body.last.capacity() + BLOCK < len / 4, "{} of {len}", kept(&body.full));
        let (first, rest) = body.finish();
        let mut blocks = Blocks::new(first, rest);
        let (mut into, mut before) = (vec![0; 1 << 20], usize::MAX);
        while blocks.read(&mut into).unwrap() > 0 {
            assert!(kept(&blocks.left) < before || blocks.left.is_empty());
            before = kept(&blocks.left);
        }
        assert!(blocks.left.is_empty());
    }
}
