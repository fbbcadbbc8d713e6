//! Somebody with a browser without scripts: cookies, pages, forms.

use crate::world::World;

/// A browser of one person.
pub(crate) struct Surfer<'a> {
    world: &'a World,
    /// Names and values.
    cookies: Vec<(String, String)>,
    /// Where it says to be, by a proxy that is trusted; nowhere unless somebody says so.
    pub(crate) address: String,
    /// What forms of the session carry, from the page seen last.
    pub(crate) form_token: String,
}

/// A page.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Page {
    /// Where it leads to.
    pub(crate) fn location(&self) -> &str {
        let line = self.head.lines().find(|it| it.to_lowercase().starts_with("location:"));
        line.map_or("", |it| it["location:".len()..].trim())
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let found = self.body.find(&start).map(|it| &self.body[it + start.len()..]);
        unescaped(found.map_or("", |it| &it[..it.find('"').unwrap()]))
    }

    /// Where the link with this text leads to.
    pub(crate) fn link(&self, text: &str) -> String {
        let end = self.body.find(&format!(">{text}</a>"));
        let end = end.unwrap_or_else(|| panic!("there is no link `{text}` in {}", self.body));
        let start = self.body[..end].rfind("href=\"").unwrap() + "href=\"".len();
        unescaped(&self.body[start..start + self.body[start..].find('"').unwrap()])
    }
}

/// Text as it was before it was escaped.
pub(crate) fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}

impl<'a> Surfer<'a> {
    pub(crate) fn new(world: &'a World) -> Surfer<'a> {
        Surfer { world, cookies: Vec::new(), address: String::new(), form_token: String::new() }
    }

    /// Somebody who is signed in.
    pub(crate) fn signed_in(world: &'a World, login: &str, password: &str) -> Surfer<'a> {
        Surfer::signed_in_at(world, "", login, password)
    }

    /// Somebody who is signed in at an address that a proxy tells.
    pub(crate) fn signed_in_at(world: &'a World, place: &str, login: &str, password: &str) -> Surfer<'a> {
        let mut surfer = Surfer::new(world);
        place.clone_into(&mut surfer.address);
        let page = surfer.post_as_is("/console/sign-in", "", &[("login", login), ("password", password)]);
        assert_eq!(page.status, 303, "{login} cannot sign in: {}", page.body);
        surfer.get("/console/account");
        surfer
    }

    /// The same browser, once more.
    pub(crate) fn copy(&self) -> Surfer<'a> {
        let (cookies, address) = (self.cookies.clone(), self.address.clone());
        Surfer { world: self.world, cookies, address, form_token: self.form_token.clone() }
    }

    /// Somebody who found a cookie.
    pub(crate) fn with_cookie(world: &'a World, cookie: &str) -> Surfer<'a> {
        let mut surfer = Surfer::new(world);
        surfer.keep(cookie);
        surfer
    }

    /// Keeps a cookie, in the place of one of the same name.
    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split_once('=').unwrap();
        self.cookies.retain(|(its, _)| its != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    /// What it keeps under a name.
    pub(crate) fn cookie(&self, name: &str) -> String {
        let found = self.cookies.iter().find(|(its, _)| its == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.ask("GET", path, "", "")
    }

    /// Looks at a page, with headers that their browser sends along.
    pub(crate) fn get_as_is(&mut self, path: &str, headers: &str) -> Page {
        self.ask("GET", path, headers, "")
    }

    /// Sends a form of one of our pages.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token.clone();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.post_as_is(path, "", &all)
    }

    /// Sends a form with nothing added to it.
    pub(crate) fn post_as_is(&mut self, path: &str, headers: &str, fields: &[(&str, &str)]) -> Page {
        self.ask("POST", path, headers, &encoded(fields))
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, form: &str) -> Page {
        let path = path.split('#').next().unwrap_or(path);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = headers.to_owned();
        if !cookies.is_empty() {
            headers += &format!("cookie: {}\r\n", cookies.join("; "));
        }
        if !self.address.is_empty() {
            headers += &format!("x-forwarded-for: {}\r\n", self.address);
        }
        let headers = format!("{headers}content-type: application/x-www-form-urlencoded\r\n");
        let answer = self.world.ask(method, path, &headers, form.as_bytes());
        for line in answer.head.lines() {
            if let Some(value) = line.strip_prefix("set-cookie: ") {
                self.keep(value.split(';').next().unwrap());
            }
        }
        let page = Page { status: answer.status, head: answer.head, body: answer.body };
        let token = page.hidden("form_token");
        if !token.is_empty() {
            self.form_token = token;
        }
        page
    }

    /// Does what a link to an act leads to, as people do: looks at the preview, says why, and sends it. Gives the page that comes of it.
    pub(crate) fn act(&mut self, link: &str, why: &str) -> Page {
        let preview = self.get(link);
        assert_eq!(preview.status, 200, "{link}: {}", preview.body);
        let (change, digest, back) =
            (preview.hidden("change"), preview.hidden("digest"), preview.hidden("back"));
        let fields = [("change", &*change), ("digest", &*digest), ("back", &*back), ("reason", why)];
        self.post("/console/act", &fields)
    }
}
