//! `async`: functions, blocks, closures, methods of traits.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::methods::{Engine, Wheel};
use distant::deep::deeper::{Distant, Failure};

pub async fn engine() -> Engine {
    Engine::standard()
}

pub async fn awaited() -> u32 {
    let engine = engine().await;
    engine.start() + crate::suspended::engine().await.stop().turn()
}

async fn fallible(text: &str) -> Result<Distant, Failure> {
    Distant::parse(text)
}

pub async fn question(text: &str) -> Result<u32, Failure> {
    Ok(fallible(text).await?.inner().doubled())
}

pub fn block(wheel: Wheel) -> impl Future<Output = u32> {
    async move {
        let inner = async { wheel.turn() };
        inner.await + awaited().await
    }
}

pub async fn blocks() -> u32 {
    block(Wheel).await
}

/// Its own future.
pub struct Ready(Option<Engine>);

impl Ready {
    fn take(&mut self) -> Option<Engine> {
        self.0.take()
    }
}

impl Future for Ready {
    type Output = Engine;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Engine> {
        match self.take() {
            Some(engine) => Poll::Ready(engine),
            None => Poll::Pending,
        }
    }
}

pub async fn own_future() -> u32 {
    Ready(Some(engine().await)).await.start()
}

pub trait Service {
    async fn call(&self) -> Engine;
    fn boxed(&self) -> Pin<Box<dyn Future<Output = Wheel> + '_>>;
}

pub struct Local;

impl Service for Local {
    async fn call(&self) -> Engine {
        engine().await
    }
    fn boxed(&self) -> Pin<Box<dyn Future<Output = Wheel> + '_>> {
        Box::pin(async { self.call().await.stop() })
    }
}

pub async fn of_service(service: &impl Service) -> u32 {
    service.call().await.start() + service.boxed().await.turn() + Local.boxed().await.turn()
}
