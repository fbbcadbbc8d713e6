use crate::types::{Price, Side, TokenId};
use serde::Serialize;

/// An order, ready to be sent.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    token: TokenId,
    side: Side,
    price: Price,
    size: f64,
}

/// Makes an order step by step.
#[derive(Clone, Debug)]
pub struct OrderBuilder {
    order: Order,
}

impl OrderBuilder {
    pub fn limit(token: TokenId, side: Side, price: Price) -> Self {
        Self { order: Order { token, side, price, size: 0.0 } }
    }

    pub fn size(mut self, size: f64) -> Self {
        self.order.size = size;
        self
    }

    pub fn build(self) -> Option<Order> {
        (self.order.size > 0.0).then_some(self.order)
    }
}
