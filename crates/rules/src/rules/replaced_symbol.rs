//! Symbols of the system that a package defines itself.

use cratekeeper_model::facts::{Facts, LinkageAttribute};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "replaced-symbol",
    family: Family::Package,
    title: "The package defines a symbol of the system's libraries",
    explanation: "\
**Looks at:** `#[no_mangle]` and `#[export_name]` in what is shipped, for names that libc, the threads library, the loader or a TLS library
define. Names of input, output, processes, randomness, name resolution and TLS are `low`; those of allocators, and memory functions that
compilers call, are `info`.

**Why:** the linker takes the first definition that it finds: every caller in the program, C code included, calls this one instead. It
sees passwords before they are encrypted, and can answer with its own random numbers.

**Harmless when:** an allocator replaces `malloc`, a library of compiler functions defines `memcpy`, or a crate implements libc or
OpenSSL's interface on purpose.

**What to do:** read the function; look whether it is compiled only when a feature asks for it.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[21],
    evaluate,
};

/// What allocators and compilers' own libraries define.
const ORDINARY: [&str; 26] = [
    "malloc",
    "calloc",
    "realloc",
    "free",
    "cfree",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "reallocarray",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "abort",
    "__rust_alloc",
    "__stack_chk_fail",
    "rust_eh_personality",
    "_Unwind_Resume",
    "__aeabi_memcpy",
    "__aeabi_memset",
    "rust_begin_unwind",
];

/// What everything goes through that a program tells or asks.
const SENSITIVE: [&str; 158] = [
    "sleep",
    "usleep",
    "nanosleep",
    "uname",
    "sysconf",
    "getlogin",
    "getlogin_r",
    "getcwd",
    "chdir",
    "mkdir",
    "rmdir",
    "readlink",
    "symlink",
    "link",
    "truncate",
    "ftruncate",
    "fsync",
    "lseek",
    "lseek64",
    "statx",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "getsockname",
    "getpeername",
    "inet_pton",
    "inet_ntop",
    "inet_addr",
    "gethostbyaddr",
    "wait",
    "waitpid",
    "kill",
    "raise",
    "setuid",
    "setgid",
    "getgid",
    "unsetenv",
    "putenv",
    "clearenv",
    "getpwnam_r",
    "getpwuid_r",
    "getspnam",
    "localtime",
    "gmtime",
    "mktime",
    "strftime",
    "fprintf",
    "vprintf",
    "sprintf",
    "snprintf",
    "perror",
    "scanf",
    "dlclose",
    "dl_iterate_phdr",
    "open",
    "open64",
    "openat",
    "fopen",
    "fopen64",
    "fclose",
    "close",
    "read",
    "pread",
    "pread64",
    "readv",
    "write",
    "pwrite",
    "writev",
    "fread",
    "fwrite",
    "fgets",
    "fputs",
    "getline",
    "stat",
    "lstat",
    "fstat",
    "access",
    "unlink",
    "rename",
    "readdir",
    "opendir",
    "chmod",
    "chown",
    "ioctl",
    "fcntl",
    "dup2",
    "mmap",
    "mprotect",
    "munmap",
    "socket",
    "connect",
    "accept",
    "bind",
    "listen",
    "send",
    "sendto",
    "sendmsg",
    "recv",
    "recvfrom",
    "recvmsg",
    "select",
    "poll",
    "epoll_wait",
    "getaddrinfo",
    "freeaddrinfo",
    "gethostbyname",
    "gethostname",
    "getnameinfo",
    "res_query",
    "execve",
    "execv",
    "execvp",
    "execl",
    "execlp",
    "fork",
    "vfork",
    "clone",
    "posix_spawn",
    "system",
    "popen",
    "exit",
    "_exit",
    "atexit",
    "__libc_start_main",
    "__cxa_atexit",
    "getenv",
    "secure_getenv",
    "setenv",
    "getpid",
    "getuid",
    "geteuid",
    "getpwnam",
    "getpwuid",
    "getpass",
    "crypt",
    "getrandom",
    "getentropy",
    "arc4random",
    "rand",
    "random",
    "srand",
    "time",
    "gettimeofday",
    "clock_gettime",
    "strcmp",
    "strncmp",
    "dlopen",
    "dlsym",
    "signal",
    "sigaction",
    "ptrace",
    "prctl",
    "syscall",
    "printf",
    "puts",
    "main",
    "_start",
    "__errno_location",
];

/// Beginnings of names that belong to one library.
const PREFIXES: [&str; 26] = [
    "OPENSSL_",
    "PEM_",
    "HMAC_",
    "ERR_",
    "EC_",
    "BN_",
    "DH_",
    "SHA256_",
    "MD5_",
    "curl_easy_",
    "BCrypt",
    "Crypt",
    "SSL_",
    "BIO_",
    "EVP_",
    "RSA_",
    "X509_",
    "RAND_",
    "CRYPTO_",
    "AES_",
    "pthread_",
    "gnutls_",
    "PR_",
    "SecTrust",
    "PAM_",
    "pam_",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(&facts.source.linkage, |it| weight(facts, it));
        groups
            .into_iter()
            .map(|((severity, confidence), symbols)| {
                let message = format!(
                    "the package defines {} of the system's libraries, for example {}",
                    count(symbols.len(), "symbol", "symbols"),
                    quoted(symbols[0].value.as_deref().unwrap_or(""), NAME)
                );
                finding(&RULE, severity, confidence, message)
                    .with_evidence(symbols.iter().map(|it| evidence(facts, it)))
                    .with_help("read these functions: every caller in the program calls them instead of the system's")
                    .pointing_to([21])
            })
            .collect()
    })
}

fn weight(facts: &Facts, attribute: &LinkageAttribute) -> Option<(Severity, Confidence)> {
    let symbol = attribute.value.as_deref()?;
    // The marker that keeps a platform from decorating the name.
    let symbol = symbol.trim_start_matches(['\u{1}', '?']).split('@').next()?;
    let symbol = symbol.strip_prefix("\\u{1}").or_else(|| symbol.strip_prefix("\\x01")).unwrap_or(symbol);
    let is_definition = matches!(attribute.attribute.as_str(), "no_mangle" | "export_name");
    if !is_definition || !places::ships(facts, attribute.file) {
        return None;
    }
    let bare = symbol.strip_prefix("__").unwrap_or(symbol).trim_end_matches("_chk");
    if SENSITIVE.contains(&symbol)
        || SENSITIVE.contains(&bare)
        || PREFIXES.iter().any(|it| symbol.starts_with(it))
    {
        return Some((Severity::Low, Confidence::Medium));
    }
    (ORDINARY.contains(&symbol) || ORDINARY.contains(&bare)).then_some((Severity::Info, Confidence::Medium))
}

fn evidence(facts: &Facts, attribute: &LinkageAttribute) -> Evidence {
    let symbol = quoted(attribute.value.as_deref().unwrap_or(""), NAME);
    place(places::path(facts, attribute.file), Some(attribute.line), Some(format!("defines {symbol}")))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::TargetKind;
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{linkage, one, silent, with_rust};

    fn defining(attribute: &str, symbol: &str, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| facts.source.linkage.push(linkage(attribute, symbol)))
    }

    #[test]
    fn what_programs_tell_or_ask_is_low() {
        for symbol in ["getrandom", "SSL_write", "pthread_create", "connect", "__read_chk", "\u{1}open"] {
            let input = defining("no_mangle", symbol, TargetKind::Lib);
            assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).techniques, [21], "{symbol}");
        }
        one(
            &RULE,
            &defining("export_name", "getaddrinfo", TargetKind::Lib),
            Severity::Low,
            Confidence::Medium,
        );
    }

    #[test]
    fn allocators_and_memory_functions_are_info() {
        for symbol in ["malloc", "free", "memcpy"] {
            one(&RULE, &defining("no_mangle", symbol, TargetKind::Lib), Severity::Info, Confidence::Medium);
        }
    }

    #[test]
    fn own_names_imports_and_tests_are_silent() {
        silent(&RULE, &defining("no_mangle", "demo_connect", TargetKind::Lib));
        silent(&RULE, &defining("link_name", "connect", TargetKind::Lib));
        silent(&RULE, &defining("no_mangle", "connect", TargetKind::Test));
    }
}
