//! The words that documents use for the model's enumerations.

use cratekeeper_model::PackageStatus;
use cratekeeper_model::facts::{
    CallKind, CharacterClass, CharacterContext, DependencySection, FileKind, FunctionContainer, IncludeKind,
    LiteralKind, ModuleForm, RemarkKind, SourceFileStatus, SpecialRole, TargetKind,
};

/// A value that documents write as one word.
pub(crate) trait Word {
    /// The word.
    fn word(self) -> &'static str;
}

/// Implements [`Word`] from a table. A new variant does not compile until it has a word here.
macro_rules! words {
    ($($type:ident { $($variant:ident => $word:literal),* $(,)? })*) => {$(
        impl Word for $type {
            fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }
        }
    )*};
}

words! {
    PackageStatus { Checked => "checked", Partial => "partial", CouldNotCheck => "could_not_check", Local => "local" }
    TargetKind {
        Lib => "lib",
        ProcMacro => "proc-macro",
        Bin => "bin",
        Example => "example",
        Test => "test",
        Bench => "bench",
        BuildScript => "build-script",
    }
    DependencySection { Normal => "normal", Build => "build", Dev => "dev" }
    FileKind {
        Empty => "empty",
        Text => "text",
        Script => "script",
        Elf => "elf",
        Pe => "pe",
        MachO => "mach-o",
        Wasm => "wasm",
        Bytecode => "bytecode",
        StaticLibrary => "static-library",
        Archive => "archive",
        Image => "image",
        Font => "font",
        Pdf => "pdf",
        Binary => "binary",
    }
    CharacterClass {
        BidiControl => "bidi-control",
        Invisible => "invisible",
        Tag => "tag",
        ConfusableIdentifier => "confusable-identifier",
    }
    CharacterContext { Code => "code", Comment => "comment", Literal => "literal", Text => "text" }
    SourceFileStatus {
        Parsed => "parsed",
        ParsedWithErrors => "parsed_with_errors",
        TokensOnly => "tokens_only",
        NotUtf8 => "not_utf8",
    }
    ModuleForm { Root => "root", File => "file", Path => "path", Inline => "inline", Include => "include" }
    FunctionContainer { Free => "free", Inherent => "inherent", TraitImpl => "trait_impl", Trait => "trait" }
    IncludeKind {
        Include => "include",
        IncludeStr => "include_str",
        IncludeBytes => "include_bytes",
        Env => "env",
        OptionEnv => "option_env",
    }
    LiteralKind {
        Url => "url",
        IpAddress => "ip-address",
        Host => "host",
        Path => "path",
        HighEntropy => "high-entropy",
        MachineCode => "machine-code",
    }
    SpecialRole {
        CargoConfiguration => "cargo-configuration",
        Toolchain => "toolchain",
        Lockfile => "lockfile",
        Editor => "editor",
        Shell => "shell",
        GitHook => "git-hook",
        AssistantInstructions => "assistant-instructions",
        AssistantConfiguration => "assistant-configuration",
        Script => "script",
    }
    RemarkKind {
        CodeBehindSpace => "code-behind-space",
        CodeBehindLines => "code-behind-lines",
        CodeBehindComment => "code-behind-comment",
        CodeBeyondEdge => "code-beyond-edge",
        ActiveMarkup => "active-markup",
        AssistantInstruction => "assistant-instruction",
    }
    CallKind { Path => "path", Method => "method", Macro => "macro", Expression => "expression" }
}
