//! The way that a mail takes through SES, and the one that remains where SES refuses it.

use shared::{app::AppRecord, audit::Event};

/// Whose address a mail is from, and through which tenant it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way<'a> {
    /// The partner's own address; the deployment's without one.
    pub from: Option<&'a str>,
    /// The App's tenant. A partner's own address goes through one alone, since SES then checks that it is this App's.
    pub tenant: Option<&'a str>,
}

/// What SES does not know, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The partner's own sender: its domain is not verified, or not this tenant's.
    Sender,
    /// The tenant, or what it holds.
    Tenant,
}

impl<'a> Way<'a> {
    /// The way that the App's record says.
    pub fn of(app: &'a AppRecord, has_tenants: bool) -> Self {
        let tenant = app.tenant.as_ref().filter(|_| has_tenants);
        let sender = app.sender.as_ref().filter(|sender| tenant.is_some() && sender.is_verified);
        Self { from: sender.map(|sender| &*sender.address), tenant: tenant.map(|tenant| &*tenant.name) }
    }

    /// What a refusal says is lost of this way; nothing where the mail itself was refused. Every such refusal comes before
    /// SES takes the mail.
    pub fn lost(&self, code: &str, message: Option<&str>) -> Option<Lost> {
        let begins = |text: &str| message.is_some_and(|message| message.starts_with(text));
        let denied = code == "AccessDeniedException";
        let own_is_lost = match code {
            "MessageRejected" => begins(NOT_VERIFIED),
            // IAM answers the same for a sender that this deployment may not use.
            _ => denied || code == "MailFromDomainNotVerifiedException",
        };
        let tenant_is_lost = code == "NotFoundException" || (denied && begins(NOT_ASSOCIATED));
        if self.from.is_some() && own_is_lost {
            Some(Lost::Sender)
        } else if self.tenant.is_some() && tenant_is_lost {
            Some(Lost::Tenant)
        } else {
            None
        }
    }

    /// The way that remains, and the event of the loss.
    pub fn without(self, lost: Lost) -> Option<(Self, Event)> {
        match lost {
            Lost::Sender => self.from.map(|_| (Self { from: None, ..self }, Event::SenderLost)),
            Lost::Tenant => self.tenant.map(|_| (Self { from: None, tenant: None }, Event::TenantLost)),
        }
    }
}

const NOT_ASSOCIATED: &str = "Tenant not associated";
const NOT_VERIFIED: &str = "Email address is not verified";

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Way<'_> = Way { from: Some("a@acme.example"), tenant: Some("t") };
    const SHARED: Way<'_> = Way { from: None, tenant: Some("t") };
    const BARE: Way<'_> = Way { from: None, tenant: None };

    #[test]
    fn what_is_lost_is_told_from_what_is_refused() {
        let not_associated = Some("Tenant not associated with resources [arn:aws:ses:r:1:identity/acme.example].");
        let not_verified =
            Some("Email address is not verified. The following identities failed the check in region R: x");
        let denied = Some("User: x is not authorized to perform: ses:SendEmail");
        for (code, message, by_own, by_shared) in [
            ("AccessDeniedException", not_associated, Some(Lost::Sender), Some(Lost::Tenant)),
            ("AccessDeniedException", denied, Some(Lost::Sender), None),
            ("NotFoundException", None, Some(Lost::Tenant), Some(Lost::Tenant)),
            ("MessageRejected", not_verified, Some(Lost::Sender), None),
            ("MessageRejected", Some("Email contains a virus"), None, None),
            ("MailFromDomainNotVerifiedException", None, Some(Lost::Sender), None),
            ("SendingPausedException", None, None, None),
            ("TooManyRequestsException", None, None, None),
        ] {
            assert_eq!(OWN.lost(code, message), by_own, "{code}");
            assert_eq!(SHARED.lost(code, message), by_shared, "{code}");
            assert_eq!(BARE.lost(code, message), None, "{code}");
        }
    }

    #[test]
    fn each_loss_leaves_a_shorter_way_until_none_is_left() {
        assert_eq!(OWN.without(Lost::Sender).unwrap().0, SHARED);
        assert_eq!(OWN.without(Lost::Tenant).unwrap().0, BARE);
        assert_eq!(SHARED.without(Lost::Tenant).unwrap().0, BARE);
        assert!(SHARED.without(Lost::Sender).is_none());
        assert!(BARE.without(Lost::Tenant).is_none() && BARE.without(Lost::Sender).is_none());
    }
}
