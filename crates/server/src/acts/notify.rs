//! Telling the owners of a hosted crate something: the preview has the whole mail and who gets it, and the mails are written in the same transaction as
//! the act's entry.
//!
//! Only addresses that their owners confirmed are written to. Logins of an upstream are names that its registry gives, not accounts here: owners there
//! are told by nobody.

use std::sync::Arc;

use cratekeeper_store::{MailId, NewMail, Owner, RegistryKind, Transaction, User};
use semver::Version;
use serde_json::json;

use super::perform::line;
use super::{Effect, Line, Target};
use crate::error::Failure;
use crate::gate::Gate;
use crate::letters::{About, Template, letter};
use crate::refusal::harmless;

/// Owners who are told at most: one act is not a way to write to everybody.
const OWNERS: usize = 100;

/// Longest text of one's own, in bytes.
pub(crate) const TEXT: usize = 2_000;

/// An owner, and their account if there is one that may do something.
type Recipient = (Owner, Option<User>);

impl Gate {
    /// Writes mails to the owners of a crate.
    pub(super) async fn notify_owners(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        target: &Target,
        template: Template,
        text: &str,
    ) -> Result<Effect, Failure> {
        self.require_mail()?;
        if text.len() > TEXT {
            return Err(Failure::Bad(format!("the text has {TEXT} bytes at most")));
        }
        if template == Template::Free && text.trim().is_empty() {
            return Err(Failure::Bad("a mail without a template needs a text".to_owned()));
        }
        let (about, owners) = self.about(target, text).await?;
        let mail = letter(template, &about);
        let mut lines = Vec::new();
        let (mut told, mut untold) = (Vec::new(), Vec::new());
        for (owner, user) in owners {
            let what = format!("owner {}", harmless(&owner.login, 80));
            match user.as_ref().and_then(|it| Some((it.id, it.confirmed_address()?))) {
                Some((user, address)) => {
                    lines.push(line(what, "address confirmed", "is written to"));
                    let new = NewMail {
                        user,
                        address: address.to_owned(),
                        kind: template.as_str().to_owned(),
                        subject: mail.subject.clone(),
                        body: mail.body.clone(),
                        sealed: false,
                    };
                    told.push((transaction.mail(&new).await?, owner.login));
                }
                None => {
                    lines.push(line(what, "no confirmed address", "is told nothing"));
                    untold.push(owner.login);
                }
            }
        }
        if told.is_empty() {
            let names: Vec<String> = untold.iter().map(|it| harmless(it, 80)).collect();
            return Err(Failure::Conflict(format!(
                "none of the owners of {} has confirmed an address, so nobody can be told by mail: {}",
                about.name,
                names.join(", ")
            )));
        }
        lines.push(line("subject of the mail", "", &mail.subject));
        lines.extend(text_lines(&mail.body));
        let mails: Vec<MailId> = told.iter().map(|it| it.0).collect();
        let told: Vec<String> = told.into_iter().map(|it| it.1).collect();
        let answer = json!({ "mails": mails, "told": told, "not_told": untold });
        Ok(Effect { object: about.object(), lines, answer, is_work: true, ..Effect::default() })
    }

    /// What a mail is about, and who owns it.
    async fn about(&self, target: &Target, text: &str) -> Result<(About, Vec<Recipient>), Failure> {
        let (Some(name), None) = (&target.krate, &target.publisher) else {
            return Err(Failure::Bad(
                "owners are those of a `crate`, or of a `crate` and a `version`".to_owned(),
            ));
        };
        let missing = |what: &str| Failure::NotFound(format!("there is no such {what}"));
        let registry = self.registry(&target.registry).ok_or_else(|| missing("registry"))?;
        if registry.kind != RegistryKind::Hosted {
            let reason = "owners of an upstream's crates have no accounts here: nobody can be told by mail";
            return Err(Failure::Conflict(reason.to_owned()));
        }
        let krate = self.crate_of(&target.registry, name).await?;
        let mut about = About::new(&krate.name, &self.url(), text);
        if let Some(number) = &target.version {
            let number: Version = number.parse().map_err(|_| Failure::Bad("invalid version".to_owned()))?;
            let found = self.store.version(registry.id, name, &number).await?;
            let (_, version) = found.ok_or_else(|| missing("version"))?;
            about.of_version(&version, self.version_page(registry, &krate.name, &version.version));
        }
        let mut recipients = Vec::new();
        let owners = self.store.owners(krate.id).await?;
        if owners.len() > OWNERS {
            let reason =
                format!("{} has {} owners; one act tells {OWNERS} at most", krate.name, owners.len());
            return Err(Failure::Conflict(reason));
        }
        for owner in owners {
            let user = self.store.user(&owner.login).await?.filter(|it| it.disabled_at.is_none());
            recipients.push((owner, user));
        }
        Ok((about, recipients))
    }

    /// Has a mail sent again that was given up.
    pub(super) async fn retry_mail(
        &self,
        transaction: &mut Transaction,
        mail: i64,
    ) -> Result<Effect, Failure> {
        self.require_mail()?;
        let mail = transaction.retry_mail(MailId(mail)).await?;
        let user = self.store.user_by_id(mail.user).await?;
        let lines = vec![line(format!("mail {} to {}", mail.id, user.login), "given up", "waits to be sent")];
        let answer = json!({ "mail": mail.id });
        Ok(Effect { object: mail.id.to_string(), lines, answer, is_work: true, ..Effect::default() })
    }

    /// Refuses what would need a mail server where none is set up.
    ///
    /// # Errors
    ///
    /// When none is.
    pub(crate) fn require_mail(&self) -> Result<(), Failure> {
        if self.mailer.is_some() {
            return Ok(());
        }
        let told = "mail is not set up at this gate (`[mail]` in `gate.toml`): nobody was told anything";
        Err(Failure::Conflict(told.to_owned()))
    }
}

/// The text of a mail as lines of a preview.
fn text_lines(body: &str) -> impl Iterator<Item = Line> {
    body.lines().enumerate().map(|(index, text)| line(format!("line {} of the mail", index + 1), "", text))
}
