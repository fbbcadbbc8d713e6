//! A macro for defining `#[cfg]` if-else statements.
#![no_std]

/// Emits the first branch whose condition holds, or the last if none does.
#[macro_export]
macro_rules! cfg_if {
    (if #[cfg($condition:meta)] { $($then:item)* } else { $($otherwise:item)* }) => {
        $( #[cfg($condition)] $then )*
        $( #[cfg(not($condition))] $otherwise )*
    };
    (if #[cfg($condition:meta)] { $($then:item)* }) => {
        $( #[cfg($condition)] $then )*
    };
}

#[cfg(test)]
mod tests {
    cfg_if! {
        if #[cfg(test)] {
            fn chosen() -> bool { true }
        } else {
            fn chosen() -> bool { false }
        }
    }

    #[test]
    fn the_first_branch_is_taken() {
        assert!(chosen());
    }
}
