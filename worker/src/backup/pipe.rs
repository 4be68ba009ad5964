//! From a task, which gets bytes from Docker, to a thread, which works on them.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

/// How many chunks may be on their way.
const CHUNKS_MAX: usize = 4;

/// What is read by a thread. It ends where the sender is dropped.
#[derive(Debug)]
pub(crate) struct Pipe {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

/// A pipe, and where its bytes go in.
pub(crate) fn pipe() -> (mpsc::Sender<Bytes>, Pipe) {
    let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
    (sender, Pipe { chunks, chunk: Bytes::new() })
}

impl Read for Pipe {
    /// Must not be called by a task.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.chunks.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
        }
        let len = self.chunk.len().min(buf.len());
        self.chunk.copy_to_slice(&mut buf[..len]);
        Ok(len)
    }
}
