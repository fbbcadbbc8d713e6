//! Methods, by where their receiver's type comes from.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use distant::deep::Distant;

pub struct Engine {
    pub power: u32,
}

impl Engine {
    pub const DEFAULT: u32 = 5;

    pub fn new(power: u32) -> Self {
        Engine { power }
    }
    pub fn start(&self) -> u32 {
        self.power
    }
    pub fn tune(&mut self) -> &mut Self {
        self.power += 1;
        self
    }
    pub fn stop(self) -> Wheel {
        Wheel
    }
    /// A function of the type, through `Self`.
    pub fn standard() -> Self {
        Self::new(Self::DEFAULT)
    }
}

#[derive(Clone, Copy)]
pub struct Wheel;

impl Wheel {
    /// The same name as a method of `Engine`: must not be confused with it.
    pub fn start(&self) -> u32 {
        0
    }
    pub fn turn(&self) -> u32 {
        1
    }
}

pub struct Car {
    pub engine: Engine,
    pub wheels: [Wheel; 4],
    pub spare: Option<Wheel>,
    pub others: Vec<Engine>,
    pub pair: (Wheel, Engine),
}

/// In another place than the type.
mod elsewhere {
    impl super::Car {
        pub fn drive(&mut self) -> u32 {
            self.engine.tune().tune();
            self.engine.start() + self.wheel().turn() + self.pair.0.turn() + self.pair.1.start()
        }
        pub fn wheel(&self) -> &super::Wheel {
            &self.wheels[0]
        }
    }
}

pub fn by_parameter(engine: Engine, wheel: &Wheel, mutable: &mut Engine) -> u32 {
    mutable.tune();
    engine.start() + wheel.start() + engine.stop().turn()
}

pub fn by_local() -> u32 {
    let engine = Engine::new(1);
    let mut other = Engine { power: 2 };
    let wheel: Wheel = Default::default();
    other.tune().start() + engine.start() + wheel.start()
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel
    }
}

pub fn by_field(car: &Car) -> u32 {
    car.engine.start() + car.wheels[1].turn() + car.spare.as_ref().unwrap().turn() + car.others[0].start()
}

pub fn by_return(car: &mut Car) -> u32 {
    car.drive() + car.wheel().start() + make().start() + Engine::standard().stop().turn()
}

fn make() -> Box<Engine> {
    Box::new(Engine::standard())
}

pub fn by_pointers(
    boxed: Box<Engine>,
    counted: Rc<Wheel>,
    shared: Arc<Engine>,
    nested: &Box<Rc<Wheel>>,
) -> u32 {
    boxed.start() + counted.turn() + shared.start() + nested.turn()
}

pub fn by_lock(lock: &Mutex<Engine>) -> u32 {
    lock.lock().unwrap().tune().start()
}

/// Its own `Deref`: methods of the target, and one of its own of the same name as the target's.
pub struct Guard {
    engine: Engine,
}

impl std::ops::Deref for Guard {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl std::ops::DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

impl Guard {
    pub fn stop(&self) -> u32 {
        self.start()
    }
}

pub fn by_own_deref(mut guard: Guard) -> u32 {
    guard.tune();
    guard.start() + guard.stop() + guard.power
}

/// A local that changes its type.
pub fn shadowed() -> u32 {
    let value = Engine::new(1);
    let first = value.start();
    let value = value.stop();
    let second = value.start();
    {
        let value = Distant::new(1);
        value.inner().doubled();
    }
    first + second + value.turn()
}

/// The methods' full names.
pub fn universal(engine: &Engine) -> u32 {
    Engine::start(engine)
        + <Engine>::start(engine)
        + <Wheel as Default>::default().turn()
        + Wheel::default().start()
}

pub enum State {
    Idle(Wheel),
    Running { engine: Engine },
}

impl State {
    pub fn run(&self) -> u32 {
        match self {
            State::Idle(wheel) => wheel.turn(),
            Self::Running { engine } => engine.start(),
        }
    }
    pub const fn idle() -> State {
        State::Idle(Wheel)
    }
}

pub fn of_enumeration() -> u32 {
    State::idle().run() + State::Running { engine: Engine::standard() }.run()
}

pub union Bits {
    pub number: u32,
    pub float: f32,
}

impl Bits {
    pub fn of(float: f32) -> Bits {
        Bits { float }
    }
    pub fn number(&self) -> u32 {
        unsafe { self.number }
    }
}

pub fn of_union() -> u32 {
    Bits::of(1.0).number()
}

/// An alias of a type, and one with an argument.
pub type Motor = Engine;
pub type Several<T> = Vec<T>;

pub fn by_alias(motors: Several<Motor>) -> u32 {
    Motor::new(1).start() + motors[0].start()
}

/// `self` in other forms.
impl Car {
    pub fn boxed(self: Box<Self>) -> u32 {
        self.engine.start()
    }
    pub fn counted(self: &Rc<Self>) -> u32 {
        self.wheel().turn()
    }
}

pub fn by_receiver_form(boxed: Box<Car>, counted: Rc<Car>) -> u32 {
    boxed.boxed() + counted.counted()
}
