//! Archives on their way to clients: read piece by piece, with a limit to what waits in memory until clients take it.
//!
//! A client that takes its time holds a piece of a large archive, and a small archive at most. All that are on their way together are no more
//! than [`ON_THEIR_WAY`], those of one address no more than its share: who comes then waits, and is told to come again. Clients that take
//! nothing at all are `connections`' to end.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use cratekeeper_model::Checksum;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

use crate::blobs::{BlobError, Blobs, OpenArchive};
use crate::callers::sharer;
use crate::error::{Failure, with_sources};
use crate::gate::Gate;
use crate::turns::{Turn, Turns};

/// Bytes of archives that wait in memory until clients take them: 256 of the largest that are sent at once.
const ON_THEIR_WAY: usize = 256 << 20;

/// Those for one address, or one network of IPv6: a quarter, so that nobody alone keeps all others waiting.
const SHARE: usize = ON_THEIR_WAY / 4;

/// How long room is waited for. What takes longer is given up by most clients.
const PATIENCE: Duration = Duration::from_secs(20);

/// Room for archives on their way.
pub(crate) type Room = Turns<IpAddr>;

/// Room for as much as is reasonable.
pub(crate) fn room() -> Arc<Room> {
    Arc::new(Room::new(ON_THEIR_WAY, SHARE))
}

/// An archive cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("too many archives are on their way; try again in a while")]
    NoRoom,
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Failure {
        match error {
            SendError::Blob(error) => error.into(),
            SendError::NoRoom => Failure::Unavailable(error.to_string()),
        }
    }
}

impl Gate {
    /// An archive as a body, whose first piece is in memory; its bytes have the checksum.
    pub(crate) async fn to_send(
        &self,
        checksum: &Checksum,
        address: Option<IpAddr>,
    ) -> Result<(Body, u64), SendError> {
        let to = sharer(address);
        if let Some(bytes) = self.views.archive(checksum) {
            let turn = place(&self.room, to, bytes.len()).await?;
            let length = bytes.len() as u64;
            return Ok((Body::from(counted(bytes, turn)), length));
        }
        let result = open(&self.blobs, checksum, &self.room, to).await;
        if let Err(SendError::Blob(error)) = &result {
            self.note_damage(error);
        }
        let (archive, first, turn) = result?;
        let length = archive.size();
        if archive.is_read() {
            self.views.keep_archive(*checksum, &first);
            return Ok((Body::from(counted(first, turn)), length));
        }
        Ok((Body::new(Pieces::new(archive, counted(first, turn), self.room.clone(), to)), length))
    }
}

async fn place(room: &Room, to: Option<IpAddr>, length: usize) -> Result<Turn<IpAddr>, SendError> {
    match timeout(PATIENCE, room.turn(to, length)).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(SendError::NoRoom),
    }
}

/// An archive, and its first piece.
async fn open(
    blobs: &Blobs,
    checksum: &Checksum,
    room: &Room,
    to: Option<IpAddr>,
) -> Result<(OpenArchive, Bytes, Turn<IpAddr>), SendError> {
    let mut archive = blobs.open(checksum).await?;
    let turn = place(room, to, archive.piece()).await?;
    let first = archive.next().await?;
    Ok((archive, first, turn))
}

/// Bytes that take up room until nobody has them any more.
struct OnTheirWay {
    bytes: Bytes,
    _turn: Turn<IpAddr>,
}

impl AsRef<[u8]> for OnTheirWay {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn counted(bytes: Bytes, turn: Turn<IpAddr>) -> Bytes {
    Bytes::from_owner(OnTheirWay { bytes, _turn: turn })
}

/// An archive that is read while it is sent.
struct Pieces {
    first: Option<Bytes>,
    /// Between two pieces.
    archive: Option<OpenArchive>,
    reading: Option<Reading>,
    left: u64,
    room: Arc<Room>,
    to: Option<IpAddr>,
}

/// What gives the next piece, and the archive back.
type Reading = Pin<Box<dyn Future<Output = Result<(OpenArchive, Bytes), SendError>> + Send>>;

impl Pieces {
    fn new(archive: OpenArchive, first: Bytes, room: Arc<Room>, to: Option<IpAddr>) -> Pieces {
        let left = archive.size();
        Pieces { first: Some(first), archive: Some(archive), reading: None, left, room, to }
    }
}

async fn next(
    mut archive: OpenArchive,
    room: Arc<Room>,
    to: Option<IpAddr>,
) -> Result<(OpenArchive, Bytes), SendError> {
    let turn = place(&room, to, archive.piece()).await?;
    let bytes = archive.next().await?;
    Ok((archive, counted(bytes, turn)))
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let bytes = match self.first.take() {
            Some(bytes) => bytes,
            None => {
                if let Some(archive) = self.archive.take() {
                    self.reading = Some(Box::pin(next(archive, self.room.clone(), self.to)));
                }
                let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
                let read = ready!(reading.as_mut().poll(context));
                self.reading = None;
                match read {
                    Ok((archive, bytes)) => {
                        self.archive = Some(archive);
                        bytes
                    }
                    Err(error) => {
                        // The client sees a body that is cut off, which is nothing it could take for the archive.
                        match &error {
                            // As many as clients like.
                            SendError::NoRoom => {
                                tracing::debug!("an archive was not sent to its end: {error}");
                            }
                            SendError::Blob(_) => {
                                let cause = with_sources(&error);
                                tracing::warn!("an archive could not be sent to its end: {cause}");
                            }
                        }
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        };
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const LARGE: usize = 5 << 20;

    fn poll(body: &mut Pieces) -> Poll<Option<Result<Bytes, SendError>>> {
        let frame = Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()));
        frame.map(|it| it.map(|it| it.map(|it| it.into_data().unwrap())))
    }

    async fn piece(body: &mut Pieces) -> Option<Bytes> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.map(|it| it.unwrap().into_data().unwrap())
    }

    async fn body(blobs: &Blobs, checksum: &Checksum, room: &Arc<Room>, to: &str) -> Pieces {
        let to = Some(to.parse().unwrap());
        let (archive, first, turn) = open(blobs, checksum, room, to).await.unwrap();
        Pieces::new(archive, counted(first, turn), room.clone(), to)
    }

    #[tokio::test]
    async fn what_is_not_taken_keeps_the_next_piece_from_being_read() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let bytes: Bytes = (0..LARGE).map(|it| (it % 249) as u8).collect::<Vec<u8>>().into();
        let checksum = blobs.put(bytes.clone()).await.unwrap();
        // Room for three pieces, of which one address has two.
        let room = Arc::new(Room::new(3 << 18, 2 << 18));
        let (slow, other) = ("192.0.2.1", "192.0.2.2");
        let mut first = body(&blobs, &checksum, &room, slow).await;
        let mut second = body(&blobs, &checksum, &room, slow).await;
        assert_eq!(first.size_hint().exact(), Some(LARGE as u64));
        let taken = [piece(&mut first).await.unwrap(), piece(&mut second).await.unwrap()];
        for body in [&mut first, &mut second] {
            assert!(poll(body).is_pending(), "what was given out is still in memory");
        }
        // Others have what is left.
        let mut quick = body(&blobs, &checksum, &room, other).await;
        let mut read = Vec::new();
        while let Some(piece) = piece(&mut quick).await {
            read.extend_from_slice(&piece);
        }
        assert!(read == bytes && quick.is_end_stream());
        drop(taken);
        let mut rest = 1 << 18;
        while let Some(piece) = piece(&mut first).await {
            rest += piece.len();
        }
        assert_eq!(rest, LARGE);
    }
}
