//! Macros for bookings.

/// Makes a list of entries from lines `account => cents`.
#[macro_export]
macro_rules! booking {
    ($($account:literal => $cents:expr),+ $(,)?) => {
        [$(($account, $cents as i64)),+]
    };
}

/// As `assert!(balanced(..))`, with the difference in the message.
#[macro_export]
macro_rules! assert_balanced {
    ($booking:expr) => {{
        let difference: i64 = $booking.iter().map(|(_, cents)| *cents).sum();
        assert_eq!(difference, 0, "the booking is off by {difference} cents");
    }};
}
