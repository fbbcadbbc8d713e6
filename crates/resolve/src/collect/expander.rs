//! The macro expander behind the few words that are needed of it here.

use cratekeeper_expand::{ExpandError, MacroDefinition};
use cratekeeper_syntax::Edition;

/// What one expansion may cost.
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) steps: usize,
    pub(super) nesting: u32,
}

/// The rules of a macro.
#[derive(Debug)]
pub(super) struct Rules(MacroDefinition);

impl Rules {
    /// `None` if they have no meaning.
    pub(super) fn parse(text: &str, edition: Edition) -> Option<Rules> {
        MacroDefinition::parse(text, edition).ok().map(Rules)
    }

    /// What a call becomes, with `root` for `$crate`, or a sentence fragment on why it becomes nothing.
    /// `steps` are counted down.
    pub(super) fn expand(
        &self,
        arguments: &str,
        root: &str,
        limits: &Limits,
        steps: &mut usize,
    ) -> Result<String, String> {
        let limits = cratekeeper_expand::Limits {
            output_bytes: limits.bytes,
            steps: limits.steps,
            nesting: limits.nesting,
        };
        let expanded = self.0.expand_counting(arguments, root, &limits, steps);
        expanded.map(|it| it.text).map_err(|error: ExpandError| error.to_string())
    }
}
