//! Bodies as they arrive: in one piece, or in blocks when they are long.

use std::collections::VecDeque;
use std::io::{self, Read};

use bytes::{Buf as _, Bytes, BytesMut};

/// Smaller makes many allocations of a long body, larger reserves for short ones what they never use.
pub(super) const BLOCK: usize = 256 * 1024;

/// A body that grows. In one piece it moves to a place of twice the size whenever it is full; blocks stay where they are.
#[derive(Debug)]
pub(super) struct Growing {
    block: usize,
    full: VecDeque<Bytes>,
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
        Self { block, full: VecDeque::new(), last: BytesMut::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, mut chunk: &[u8]) {
        self.len += chunk.len();
        while !chunk.is_empty() {
            if self.last.len() == self.block {
                let full = std::mem::replace(&mut self.last, BytesMut::with_capacity(self.block));
                self.full.push_back(full.freeze());
            }
            let (fits, left) = chunk.split_at(chunk.len().min(self.block - self.last.len()));
            self.last.extend_from_slice(fits);
            chunk = left;
        }
    }

    /// The first block, and the others.
    pub(super) fn finish(mut self) -> (Bytes, VecDeque<Bytes>) {
        self.full.push_back(self.last.freeze());
        let first = self.full.pop_front().unwrap_or_default();
        (first, self.full)
    }
}

/// Reads blocks one after the other, and frees each when it is read.
#[derive(Debug)]
pub(super) struct Blocks(pub(super) VecDeque<Bytes>);

impl Read for Blocks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(block) = self.0.front_mut() {
            if block.is_empty() {
                self.0.pop_front();
                continue;
            }
            let count = block.len().min(into.len());
            block.copy_to_slice(&mut into[..count]);
            return Ok(count);
        }
        Ok(0)
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

            let (first, mut rest) = filled(Growing::in_blocks(), chunks).0.finish();
            rest.push_front(first);
            let mut read = Vec::new();
            Blocks(rest).read_to_end(&mut read).unwrap();
            assert!(read == whole, "{} bytes of {}", read.len(), whole.len());
        }
    }

    #[test]
    fn a_long_body_takes_little_more_than_its_length_and_ever_less_while_it_is_read() {
        let reserved = |body: &Growing| body.full.iter().map(Bytes::len).sum::<usize>() + body.last.capacity();
        let mut body = Growing::in_blocks();
        for _ in 0..5000 {
            body.push(&[b'x'; 4096]);
            assert!(reserved(&body) <= body.len() + 2 * BLOCK, "{} for {}", reserved(&body), body.len());
        }
        let (first, mut rest) = body.finish();
        rest.push_front(first);
        let mut blocks = Blocks(rest);
        let mut into = vec![0; 1 << 20];
        while blocks.read(&mut into).unwrap() > 0 {}
        assert!(blocks.0.is_empty());
    }
}
