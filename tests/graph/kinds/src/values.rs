//! Functions as values: arguments, fields, tables, constants.

use crate::methods::{Engine, State, Wheel};
use distant::deep::source;

fn one() -> u32 {
    1
}
fn two() -> u32 {
    2
}
fn three() -> u32 {
    3
}
fn unused_by_anyone() -> u32 {
    4
}

pub fn passed(engines: &[Engine]) -> u32 {
    engines.iter().map(Engine::start).sum::<u32>()
        + call(one)
        + call(source)
        + Some(1).map_or_else(two, helper)
}

fn call(function: fn() -> u32) -> u32 {
    function()
}

fn helper(number: u32) -> u32 {
    number
}

/// A constructor is no function of the graph.
pub fn constructors(wheels: Vec<Wheel>) -> Vec<State> {
    wheels.into_iter().map(State::Idle).collect()
}

pub struct Table {
    pub first: fn() -> u32,
    pub second: Option<fn() -> u32>,
}

pub fn in_fields() -> u32 {
    let table = Table { first: one, second: Some(two) };
    (table.first)() + table.second.unwrap()()
}

pub static HANDLERS: [fn() -> u32; 2] = [one, two];
pub const FALLBACK: fn() -> u32 = three;
pub static COMPUTED: u32 = computed(2);

const fn computed(number: u32) -> u32 {
    number * 2
}

pub fn by_static(index: usize) -> u32 {
    HANDLERS[index]() + FALLBACK() + COMPUTED
}

pub fn chosen(which: bool) -> u32 {
    let function: fn() -> u32 = if which { one } else { three };
    let array = [two as fn() -> u32, three];
    function() + array[0]()
}

/// A method of a trait as a value, by type and by parameter.
pub fn trait_methods() -> Vec<String> {
    vec![1, 2].iter().map(ToString::to_string).chain([Wheel].iter().map(Spell::spell)).collect()
}

trait Spell {
    fn spell(&self) -> String;
}

impl Spell for Wheel {
    fn spell(&self) -> String {
        String::new()
    }
}

pub fn by_parameter<T: Default + Clone>() -> Vec<T> {
    std::iter::repeat_with(T::default).take(2).collect()
}

struct Calculator;

impl Calculator {
    const OPERATION: fn(u32) -> u32 = Self::square;
    fn square(number: u32) -> u32 {
        number * number
    }
    fn run(&self) -> u32 {
        (Self::OPERATION)(2) + [3].map(Self::square)[0]
    }
}

pub fn lazily() -> u32 {
    static CELL: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    const LOCAL: u32 = computed(3);
    *CELL.get_or_init(one) + LOCAL + Calculator.run()
}

thread_local! {
    static PER_THREAD: std::cell::Cell<u32> = std::cell::Cell::new(two());
}

pub fn of_thread() -> u32 {
    PER_THREAD.with(|it| it.get() + three())
}
