//! Helpers for pools of a decentralised exchange.

/// The fee of a pool, in hundredths of a basis point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee(pub u32);

impl Fee {
    pub const LOW: Fee = Fee(500);
    pub const MEDIUM: Fee = Fee(3000);
    pub const HIGH: Fee = Fee(10_000);
}

/// How much comes out for what goes in, with the product of the reserves kept.
pub fn amount_out(amount_in: u128, reserve_in: u128, reserve_out: u128, fee: Fee) -> Option<u128> {
    let kept = amount_in.checked_mul(1_000_000 - u128::from(fee.0))?;
    let numerator = kept.checked_mul(reserve_out)?;
    let denominator = reserve_in.checked_mul(1_000_000)?.checked_add(kept)?;
    numerator.checked_div(denominator)
}

/// The tokens of a pair, in the order in which the contract has them.
pub fn sort_tokens(left: [u8; 20], right: [u8; 20]) -> Option<([u8; 20], [u8; 20])> {
    match left.cmp(&right) {
        std::cmp::Ordering::Less => Some((left, right)),
        std::cmp::Ordering::Greater => Some((right, left)),
        std::cmp::Ordering::Equal => None,
    }
}

/// The price of the first token in the second.
pub fn price(reserve_in: u128, reserve_out: u128) -> Option<f64> {
    (reserve_in != 0).then(|| reserve_out as f64 / reserve_in as f64)
}
