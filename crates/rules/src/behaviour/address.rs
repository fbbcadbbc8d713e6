//! Where an operation on the network goes: to an address of the crate's own, a hidden one, or one that its caller gives.
//!
//! It is the difference between a client and a spy: a library sends where it is told to.

use cratekeeper_model::facts::{FlowSource, OperationKind, Topic};

use super::{ADDRESS, Act, Behaviour, constant_parts, is_about, is_concealed};

/// Who chose an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Nothing constant is known about it.
    Caller,
    /// It stands in the source, plain to see.
    Constant,
    /// It is a constant that took decoding to be seen.
    Hidden,
}

impl Behaviour<'_> {
    /// Who chose the address that the operation goes to.
    pub(crate) fn origin(&self, act: Act<'_>) -> Origin {
        let hidden = |act: Act<'_>| {
            self.texts(act).iter().any(|text| is_concealed(text) && is_about(text, ADDRESS))
                || self.receives(act, &[FlowSource::HiddenConstant])
        };
        if hidden(act) {
            return Origin::Hidden;
        }
        if self.near_texts(act).any(|text| is_concealed(text) && is_about(text, ADDRESS)) {
            return Origin::Hidden;
        }
        // A program's name may look like a host's (`tool.exe`), and is none.
        let is_address = |(at, it): (usize, &String)| {
            let names_program = at == 0 && act.operation.kind == OperationKind::StartProcess;
            has_constant_host(it) && (!names_program || it.contains("://"))
        };
        let own = act.operation.arguments.iter().enumerate().any(is_address);
        let named =
            || self.near_texts(act).any(|text| is_about(text, ADDRESS) && !is_placeholder(&text.value));
        if own || named() { Origin::Constant } else { Origin::Caller }
    }

    /// Whether it goes to a service where anybody can drop data.
    pub(crate) fn drops(&self, act: Act<'_>) -> bool {
        self.near_texts(act).any(|text| is_about(text, &[Topic::DropService]))
    }
}

/// Whether an argument, constant parts joined and the rest as `{}`, has a constant host.
fn has_constant_host(argument: &str) -> bool {
    let argument = argument.trim();
    let host = match argument.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None if argument.contains(char::is_whitespace) => return false,
        None => argument.split('/').next().unwrap_or_default(),
    };
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let constant = constant_parts(name);
    constant.contains('.') && constant.chars().filter(char::is_ascii_alphanumeric).count() >= 4
}

/// Addresses that stand for "this machine, any port", which servers and tests name.
fn is_placeholder(value: &str) -> bool {
    matches!(
        value,
        "0.0.0.0"
            | "0.0.0.0:0"
            | "127.0.0.1"
            | "127.0.0.1:0"
            | "localhost"
            | "::1"
            | "::"
            | "[::1]:0"
            | "[::]:0"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_constant_when_its_name_is() {
        for address in [
            "https://a.example.invalid/x/{}",
            "127.0.0.1:9",
            "https://{}s.example.invalid/{}",
            "c.example.invalid:443",
        ] {
            assert!(has_constant_host(address), "{address}");
        }
        for address in ["{}", "https://{}/api", "{}:80", "GET /a.b HTTP/1.1", "", "https://{}.{}/"] {
            assert!(!has_constant_host(address), "{address}");
        }
    }
}
