//! What a component prints becomes log lines with its name.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::limits::LOG_LINE_BYTES_MAX;

/// Standard output or standard error of a component.
pub(super) struct Output {
    component: Arc<str>,
    level: tracing::Level,
}

impl Output {
    pub(super) fn stdout(component: &Arc<str>) -> Self {
        Self { component: Arc::clone(component), level: tracing::Level::INFO }
    }

    pub(super) fn stderr(component: &Arc<str>) -> Self {
        Self { component: Arc::clone(component), level: tracing::Level::WARN }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        let component = Arc::clone(&self.component);
        Box::new(Lines { component, level: self.level, partial: Vec::new() })
    }
}

/// Collects bytes until a line ends.
struct Lines {
    component: Arc<str>,
    level: tracing::Level,
    partial: Vec<u8>,
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|it| *it == b'\n') {
            self.partial.extend_from_slice(&bytes[..end]);
            self.log();
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
        if LOG_LINE_BYTES_MAX < self.partial.len() {
            self.log();
        }
    }

    fn log(&mut self) {
        let line = String::from_utf8_lossy(&self.partial);
        let (component, line) = (&*self.component, line.trim_end());
        match self.level {
            _ if line.is_empty() => (),
            tracing::Level::INFO => tracing::info!(component, "{line}"),
            _ => tracing::warn!(component, "{line}"),
        }
        self.partial.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.log();
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
