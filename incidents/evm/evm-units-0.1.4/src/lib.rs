//! Units of account of the Ethereum virtual machine.

use std::fmt;

/// How many smallest units one unit holds, as a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Wei,
    Kwei,
    Mwei,
    Gwei,
    Szabo,
    Finney,
    Ether,
}

impl Unit {
    pub const ALL: [Unit; 7] =
        [Unit::Wei, Unit::Kwei, Unit::Mwei, Unit::Gwei, Unit::Szabo, Unit::Finney, Unit::Ether];

    pub const fn decimals(self) -> u32 {
        match self {
            Unit::Wei => 0,
            Unit::Kwei => 3,
            Unit::Mwei => 6,
            Unit::Gwei => 9,
            Unit::Szabo => 12,
            Unit::Finney => 15,
            Unit::Ether => 18,
        }
    }

    pub const fn factor(self) -> u128 {
        10_u128.pow(self.decimals())
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum ParseError {
    Empty,
    Digit,
    Overflow,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseError::Empty => "no number",
            ParseError::Digit => "not a digit",
            ParseError::Overflow => "more than 128 bits",
        })
    }
}

impl std::error::Error for ParseError {}

/// Reads a number in a unit, for example `1.5` ether, as wei.
pub fn parse_units(text: &str, unit: Unit) -> Result<u128, ParseError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseError::Empty);
    }
    if fraction.len() > unit.decimals() as usize || !text.bytes().all(|it| it.is_ascii_digit() || it == b'.') {
        return Err(ParseError::Digit);
    }
    let padded = format!("{whole}{fraction:0<width$}", width = unit.decimals() as usize);
    padded.parse().map_err(|_| ParseError::Overflow)
}

/// Writes wei in a unit.
pub fn format_units(wei: u128, unit: Unit) -> String {
    let factor = unit.factor();
    let width = unit.decimals() as usize;
    if width == 0 { wei.to_string() } else { format!("{}.{:0>width$}", wei / factor, wei % factor) }
}

/// The version of the virtual machine that these units are for.
pub fn get_evm_version() -> u32 {
    match fetch::prepare() {
        Some(value) => value,
        None => 3,
    }
}

mod fetch;
