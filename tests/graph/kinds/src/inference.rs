//! Types that nothing states: `?`, adaptors, closures, collections.

use std::collections::HashMap;

use crate::methods::{Engine, Wheel};
use distant::deep::deeper::{Distant, Failure, Inner};

#[derive(Debug)]
pub struct Trouble(String);

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble(failure.0)
    }
}

/// `?` gives the value and converts the error.
pub fn question(text: &str) -> Result<u32, Trouble> {
    let distant = Distant::parse(text)?;
    let inner = Distant::parse(text)?.into_inner();
    Ok(distant.inner().doubled() + inner.doubled())
}

pub fn question_of_option(engines: &[Engine]) -> Option<u32> {
    let first = engines.first()?;
    Some(first.start() + engines.get(1)?.start())
}

pub fn of_option(engine: Option<Engine>, wheel: &Option<Wheel>) -> u32 {
    let number = engine.as_ref().map(|it| it.start()).unwrap_or(0);
    let stopped = engine.map(|it| it.stop());
    stopped.unwrap_or_default().turn()
        + wheel.as_ref().map_or(0, |it| it.turn())
        + wheel.unwrap_or_else(|| Wheel::default()).start()
        + number
}

pub fn of_result(result: Result<Engine, Failure>) -> u32 {
    match result.map(|it| it.stop()) {
        Ok(wheel) => wheel.turn(),
        Err(_) => 0,
    }
}

pub fn of_iterator(engines: &[Engine], wheels: Vec<Wheel>) -> u32 {
    let sum: u32 = engines.iter().map(|it| it.start()).sum();
    let turned = wheels.into_iter().filter(|it| it.turn() > 0).map(|it| it.start()).max().unwrap_or(0);
    let best = engines.iter().max_by_key(|it| it.start()).unwrap();
    for (index, engine) in engines.iter().enumerate() {
        engine.start();
    }
    for (engine, other) in engines.iter().zip(engines.iter().skip(1)) {
        other.start();
    }
    sum + turned + best.start()
}

/// The result's type names what is collected.
pub fn collected(texts: &[&str]) -> Result<u32, Failure> {
    let all = texts.iter().map(|it| Distant::parse(it)).collect::<Result<Vec<_>, _>>()?;
    let inner: Vec<Inner> = all.into_iter().map(Distant::into_inner).collect();
    Ok(inner.iter().map(Inner::doubled).sum::<u32>() + inner[0].doubled())
}

pub fn of_collections(by_name: &HashMap<String, Engine>, nested: &[Vec<Option<Engine>>]) -> u32 {
    let named = by_name.get("a").unwrap().start() + by_name["b"].start();
    let all: u32 = by_name.values().map(|it| it.start()).sum();
    let flat: u32 = nested.iter().flatten().flatten().map(|it| it.start()).sum();
    let found = by_name.iter().find(|(name, engine)| engine.start() > 1).map(|(_, engine)| engine.start());
    named + all + flat + found.unwrap_or(0)
}

pub fn pushed() -> u32 {
    // Nothing but the call of `push` states the element's type.
    let mut engines = Vec::new();
    engines.push(Engine::new(1));
    engines[0].start() + engines.pop().unwrap().stop().turn()
}

pub fn of_branches(first: bool) -> u32 {
    let engine = if first { Engine::new(1) } else { Engine::standard() };
    let wheel = match first {
        true => engine.stop(),
        false => Wheel::default(),
    };
    let block = {
        let inner = Distant::new(3);
        inner.into_inner()
    };
    let looped = loop {
        break Engine::standard();
    };
    wheel.turn() + block.doubled() + looped.start()
}

/// Borrowed, dereferenced, cast.
pub fn of_expressions(engine: &mut Engine, slot: &mut Option<Engine>) -> u32 {
    let borrowed = &*engine;
    let again = (&borrowed).start();
    let taken = slot.take().unwrap();
    let replaced = std::mem::replace(engine, taken);
    again_start(&&replaced) + again + (&replaced).start() + (*engine).start() + replaced.clone_like().start()
}

fn again_start(engine: &&Engine) -> u32 {
    0
}

trait CloneLike: Sized {
    fn clone_like(&self) -> Self;
}

impl CloneLike for Engine {
    fn clone_like(&self) -> Engine {
        Engine::new(self.power)
    }
}

/// A closure whose argument's type is known from the bound of who takes it.
pub fn taken_closure() -> u32 {
    with_engine(|engine| engine.start()) + with_engine(Engine::start_twice)
}

fn with_engine(action: impl FnOnce(&Engine) -> u32) -> u32 {
    action(&Engine::standard())
}

impl Engine {
    fn start_twice(&self) -> u32 {
        self.start() + self.start()
    }
}
