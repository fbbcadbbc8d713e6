use core::fmt;

/// Why a number could not be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    ErrorString(String),
    ScaleExceedsMaximum(u32),
    Overflow,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorString(text) => write!(f, "{}", text),
            Self::ScaleExceedsMaximum(scale) => write!(f, "scale {} is above 28", scale),
            Self::Overflow => write!(f, "the result needs more than 96 bits"),
        }
    }
}

impl std::error::Error for Error {}
