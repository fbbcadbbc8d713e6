//! Ids of attack techniques: how an attack works, whichever rule notices it.

/// A way to attack through a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    /// Stable name, in cases, policies and threat models.
    pub id: &'static str,
    /// What it is, as one line.
    pub title: &'static str,
}

/// Every technique that some rule can point to, sorted by id.
///
/// An id keeps its meaning; one that no rule points to any more stays listed.
pub const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "archive-tricks",
        title: "An archive that different tools unpack to different files, or outside of their directory",
    },
    Technique {
        id: "bidi-control",
        title: "Bidirectional control characters make code read differently from what is compiled (Trojan Source)",
    },
    Technique { id: "embedded-payload", title: "Machine code or bytecode travels inside a source package" },
    Technique {
        id: "manifest-confusion",
        title: "The manifest that cargo obeys says something else than the one that people read",
    },
    Technique {
        id: "parser-evasion",
        title: "Source that the compiler may accept and that inspection tools cannot read",
    },
    Technique {
        id: "payload-in-tests",
        title: "A payload is kept among test data, where reviewers expect opaque files",
    },
    Technique {
        id: "replaced-archive",
        title: "The bytes of a published version are replaced after the fact, or on their way",
    },
    Technique {
        id: "typosquat",
        title: "A crate is published under a name that is taken for another one's: a typo, a variant, a look-alike",
    },
];
