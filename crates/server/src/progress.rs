//! What a connection does, and when it has been waited for long enough.
//!
//! Three things are seen: what goes over the wire, requests, and whether something that was given to the connection waits for the client. The last
//! one needs a look at bodies, because a client that speaks HTTP/2 can go on reading and answer pings, and yet take nothing of an answer: so bodies
//! of HTTP/2 are watched. Those of HTTP/1 are not, where a client that takes nothing lets the connection itself come to a halt.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::connections::{Patience, Speaks};

/// Bytes that a client has to take within [`Patience::stalled`] to be waited for: 2 KiB a second. Pings and their answers are far below that.
const LEAST: u64 = 64 << 10;

/// What happens on a connection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    written: AtomicU64,
    /// Whether what is to be written has to wait for the client.
    is_blocked: AtomicBool,
    /// Requests that came. These three are kept of HTTP/2 alone.
    requests: AtomicU64,
    /// Requests whose answers are not given to the connection to their ends.
    open: AtomicUsize,
    /// Parts of answers that were given to the connection and are not sent.
    unsent: AtomicUsize,
}

/// A request, until its answer was given to the connection.
#[derive(Debug)]
pub(crate) struct Underway(Arc<Progress>);

impl Underway {
    pub(crate) fn begin(progress: &Arc<Progress>) -> Underway {
        progress.requests.fetch_add(1, Ordering::Relaxed);
        progress.open.fetch_add(1, Ordering::Relaxed);
        Underway(progress.clone())
    }

    /// The same bytes, which are known to be unsent until they are dropped.
    fn unsent(&self, bytes: Bytes) -> Bytes {
        self.0.unsent.fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Unsent { bytes, progress: self.0.clone() })
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Part of an answer.
struct Unsent {
    bytes: Bytes,
    progress: Arc<Progress>,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.progress.unsent.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body whose parts are known to be unsent until they are sent.
pub(crate) struct Watched {
    pub(crate) body: Body,
    pub(crate) underway: Underway,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|it| it.map(|it| it.map_data(|bytes| self.underway.unsent(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that counts what is written.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, progress: Arc<Progress>) -> Counted<S> {
        Counted { stream, progress }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        self.progress.is_blocked.store(written.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(Ok(count)) = written {
            self.progress.written.fetch_add(*count as u64, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // What TLS took and has not sent waits here. Whoever flushes has written everything before.
        self.progress.is_blocked.store(flushed.is_pending(), Ordering::Relaxed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What is to be done about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Wait,
    /// Nobody asked for anything for long: no more requests are taken.
    LetGo,
    /// The client takes nothing of what it asked for, or does not go.
    End,
}

/// Looks at a connection now and then.
pub(crate) struct Watch {
    progress: Arc<Progress>,
    speaks: Speaks,
    patience: Patience,
    ticks: tokio::time::Interval,
    /// Since when the client takes nothing, and what was written until then.
    stalled: Option<(Instant, u64)>,
    /// Since when nothing was asked for, and how many requests came until then.
    idle: (Instant, u64),
    let_go: Option<Instant>,
}

impl Watch {
    pub(crate) fn new(progress: Arc<Progress>, speaks: Speaks, patience: Patience) -> Watch {
        let shortest = patience.head.min(patience.idle).min(patience.stalled);
        // A few looks in the shortest time; when exactly it ends matters to nobody.
        let mut ticks = tokio::time::interval((shortest / 4).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Watch { progress, speaks, patience, ticks, stalled: None, idle: (Instant::now(), 0), let_go: None }
    }

    /// The next look. Nothing is lost when it is not waited for.
    pub(crate) async fn look(&mut self) -> Verdict {
        let now = self.ticks.tick().await;
        self.judge(now)
    }

    fn judge(&mut self, now: Instant) -> Verdict {
        let unsent = self.progress.unsent.load(Ordering::Relaxed);
        let waits_for_client = unsent > 0 || self.progress.is_blocked.load(Ordering::Relaxed);
        let written = self.progress.written.load(Ordering::Relaxed);
        match self.stalled {
            Some((since, before)) if waits_for_client && written.saturating_sub(before) < LEAST => {
                if now.duration_since(since) >= self.patience.stalled {
                    return Verdict::End;
                }
            }
            _ => self.stalled = waits_for_client.then_some((now, written)),
        }
        if let Some(since) = self.let_go {
            let is_over = !self.is_busy() && now.duration_since(since) >= self.patience.head;
            return if is_over { Verdict::End } else { Verdict::Wait };
        }
        self.judge_idle(now)
    }

    /// Whether a request is under way.
    fn is_busy(&self) -> bool {
        self.progress.open.load(Ordering::Relaxed) > 0 || self.progress.unsent.load(Ordering::Relaxed) > 0
    }

    /// HTTP/1 has a limit of its own to how long it waits for a head.
    fn judge_idle(&mut self, now: Instant) -> Verdict {
        let requests = self.progress.requests.load(Ordering::Relaxed);
        if self.is_busy() || requests != self.idle.1 {
            self.idle = (now, requests);
        }
        let limit = if requests == 0 { self.patience.head } else { self.patience.idle };
        if self.speaks == Speaks::Http1 || now.duration_since(self.idle.0) < limit {
            return Verdict::Wait;
        }
        self.let_go = Some(now);
        Verdict::LetGo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Takes everything, and sends it when it may.
    struct Buffer {
        may_send: bool,
    }

    impl AsyncWrite for Buffer {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.may_send { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_is_sent_in_the_end_blocks_nothing_any_more() {
        let progress = Arc::new(Progress::default());
        let mut stream = Counted::new(Buffer { may_send: false }, progress.clone());
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut stream).poll_write(&mut context, b"bytes").is_ready());
        assert!(Pin::new(&mut stream).poll_flush(&mut context).is_pending());
        assert!(progress.is_blocked.load(Ordering::Relaxed));
        stream.stream.may_send = true;
        assert!(Pin::new(&mut stream).poll_flush(&mut context).is_ready());
        assert!(!progress.is_blocked.load(Ordering::Relaxed));
        assert_eq!(progress.written.load(Ordering::Relaxed), 5);
    }

    fn watch(progress: &Arc<Progress>) -> Watch {
        let patience =
            Patience { handshake: SECOND, head: 10 * SECOND, idle: 20 * SECOND, stalled: 30 * SECOND };
        Watch::new(progress.clone(), Speaks::Http2, patience)
    }

    /// What is said at each of these seconds.
    fn judged(watch: &mut Watch, from: Instant, seconds: &[u32]) -> Vec<Verdict> {
        seconds.iter().map(|it| watch.judge(from + *it * SECOND)).collect()
    }

    #[tokio::test]
    async fn whoever_asks_for_nothing_is_let_go_and_ended_if_it_stays() {
        use Verdict::{End, LetGo, Wait};
        let progress = Arc::new(Progress::default());
        let (mut first, from) = (watch(&progress), Instant::now());
        assert_eq!(judged(&mut first, from, &[1, 9, 11, 15, 22]), [Wait, Wait, LetGo, Wait, End]);
        let mut later = watch(&progress);
        drop(Underway::begin(&progress));
        assert_eq!(judged(&mut later, from, &[5, 15, 24, 26]), [Wait, Wait, Wait, LetGo]);
        // What the gate has to do takes as long as it takes.
        let mut long = watch(&progress);
        let underway = Underway::begin(&progress);
        assert_eq!(judged(&mut long, from, &[5, 50, 500]), [Wait; 3]);
        drop(underway);
        assert_eq!(judged(&mut long, from, &[510, 521]), [Wait, LetGo]);
    }

    #[tokio::test]
    async fn whoever_takes_nothing_is_ended() {
        use Verdict::{End, Wait};
        let progress = Arc::new(Progress::default());
        let from = Instant::now();
        let underway = Underway::begin(&progress);
        let part = underway.unsent(Bytes::from_static(b"part"));
        assert_eq!(judged(&mut watch(&progress), from, &[1, 20, 30, 31]), [Wait, Wait, Wait, End]);
        // Requests and pings are nothing that was taken.
        let mut asks = watch(&progress);
        assert_eq!(judged(&mut asks, from, &[1, 20]), [Wait; 2]);
        drop(Underway::begin(&progress));
        progress.written.fetch_add(1_000, Ordering::Relaxed);
        assert_eq!(judged(&mut asks, from, &[31]), [End]);
        // A slow client takes something.
        let mut slow = watch(&progress);
        for second in (1..200).step_by(10) {
            assert_eq!(judged(&mut slow, from, &[second]), [Wait]);
            progress.written.fetch_add(LEAST / 2, Ordering::Relaxed);
        }
        // One for whom the gate has nothing yet is not waited for.
        let mut patient = watch(&progress);
        drop(part);
        assert_eq!(judged(&mut patient, from, &[1, 40, 80]), [Wait; 3]);
        drop(underway);
        progress.is_blocked.store(true, Ordering::Relaxed);
        assert_eq!(judged(&mut patient, from, &[81, 100])[0], Wait);
        assert_eq!(judged(&mut patient, from, &[111]), [End]);
    }
}
