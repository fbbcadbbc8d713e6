//! A browser: Chromium behind `chromedriver`, both of which are ended with it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

/// How long a page may take on a machine that does other things; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked for.
const PAUSE: Duration = Duration::from_millis(50);

/// How pages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) is_phone: bool,
    pub(crate) is_dark: bool,
    pub(crate) runs_scripts: bool,
}

impl Look {
    pub(crate) const DESKTOP: Look = Look { is_phone: false, is_dark: false, runs_scripts: true };

    fn name(self) -> String {
        let size = if self.is_phone { "phone" } else { "desktop" };
        let colours = if self.is_dark { "dark" } else { "light" };
        format!("{size}-{colours}")
    }
}

/// A browser, with a count of what whoever uses it has clicked.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    pub(crate) clicks: usize,
    look: Look,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with the driver, which is ours and ends by its number.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub(crate) async fn open(look: Look) -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`chromedriver` is needed: Debian's packages `chromium` and `chromium-driver`, or set CRATEKEEPER_WITHOUT_BROWSER");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let rest = line.split("successfully on port ").nth(1)?;
            rest.trim_end_matches('.').trim().parse::<u16>().ok()
        });
        // Nobody reads the rest; it must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let (width, height) = if look.is_phone { (390, 844) } else { (1440, 900) };
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if look.is_dark {
            arguments.push("--force-dark-mode".to_owned());
        }
        let scripts = if look.runs_scripts { 1 } else { 2 };
        let options = json!({
            "args": arguments,
            "prefs": { "profile.managed_default_content_settings.javascript": scripts },
        });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("a session with chromium");
        Browser { client, driver, clicks: 0, look, _profile: profile }
    }

    pub(crate) async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Clicks on the link or button with this text.
    pub(crate) async fn click(&mut self, text: &str) {
        let path = format!(
            "//a[normalize-space(.)={0}] | //button[normalize-space(.)={0}] | //summary[normalize-space(.)={0}]",
            quoted(text)
        );
        let found = self.find(Locator::XPath(&path), text).await;
        found.click().await.unwrap_or_else(|error| panic!("`{text}` cannot be clicked: {error}"));
        self.clicks += 1;
    }

    /// What is or will be on the page: after a click, the next page takes a moment.
    async fn find(&self, locator: Locator<'_>, what: &str) -> Element {
        let since = Instant::now();
        loop {
            match self.client.find(locator).await {
                Ok(found) => return found,
                Err(error) if since.elapsed() > PATIENCE => {
                    panic!("there is no `{what}`: {error}\n{}", self.text().await)
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Types into the field with this id or name.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self.find(Locator::Css(&format!("#{name}, [name={name}]")), name).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types into a field that is only there when it is asked for.
    pub(crate) async fn fill_if_asked(&self, name: &str, text: &str) {
        if self.client.find(Locator::Css(&format!("[name={name}]"))).await.is_ok() {
            self.fill(name, text).await;
        }
    }

    /// Ticks a box.
    pub(crate) async fn check(&self, name: &str) {
        let found = self.find(Locator::Css(&format!("[type=checkbox][name={name}]")), name).await;
        found.click().await.unwrap();
    }

    /// What the page says.
    pub(crate) async fn text(&self) -> String {
        let since = Instant::now();
        loop {
            let read = async { self.client.find(Locator::Css("body")).await?.text().await };
            match read.await {
                Ok(text) => return text,
                // Between two pages there is none.
                Err(_) if since.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                Err(error) => panic!("there is no page: {error}"),
            }
        }
    }

    /// The page has to say something, or the next one.
    pub(crate) async fn sees(&self, text: &str) {
        let since = Instant::now();
        loop {
            let shown = self.text().await;
            if shown.contains(text) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "`{text}` is not on the page:\n{shown}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Keeps a picture of the page, where pictures are kept, and has axe look at it. Gives what axe found, worst first.
    pub(crate) async fn keep(&self, name: &str) -> Vec<String> {
        if let Some(directory) = std::env::var_os("CRATEKEEPER_SCREENSHOTS").map(PathBuf::from) {
            std::fs::create_dir_all(&directory).unwrap();
            let picture = self.client.screenshot().await.unwrap();
            std::fs::write(directory.join(format!("{name}-{}.png", self.look.name())), picture).unwrap();
        }
        let Some(axe) = std::env::var_os("CRATEKEEPER_AXE").filter(|_| self.look.runs_scripts) else {
            return Vec::new();
        };
        // The page's own policy keeps scripts out, as it should; those of the driver are not the page's.
        let source = std::fs::read_to_string(axe).unwrap();
        self.client.execute(&source, vec![]).await.unwrap();
        let run = "const done = arguments[arguments.length - 1]; \
            const shown = v => [v.impact, v.id, v.nodes.map(n => n.html + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message).slice(0, 3)]; \
            axe.run(document).then(r => done([r.passes.length, r.violations.map(shown)]), e => done([0, [['critical', String(e), []]]]));";
        let found = self.client.execute_async(run, vec![]).await.unwrap();
        assert!(found[0].as_u64() > Some(5), "axe looked at nothing on {name}: {found}");
        let rows = found[1].as_array().cloned().unwrap_or_default();
        let is_serious = |it: &&Value| matches!(it[0].as_str(), Some("serious" | "critical"));
        rows.iter().filter(is_serious).map(|it| format!("{name}: {} {} {}", it[0], it[1], it[2])).collect()
    }

    pub(crate) async fn close(self) {
        let _ = self.client.clone().close().await;
    }
}

/// A text in an XPath expression, which knows no escapes.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}

/// Runs something that waits.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(future)
}
