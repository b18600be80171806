//! The languages of the site, and which of them a visitor reads.

mod english;
mod french;
mod spanish;

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

/// Every sentence of the site in one language. What stands in braces is put in by [`put`].
pub struct Words {
    /// The BCP 47 tag.
    pub tag: &'static str,
    /// The language's own name.
    pub name: &'static str,
    pub sign_up_title: &'static str,
    pub sign_up_intro: &'static str,
    pub company: &'static str,
    pub your_name: &'static str,
    pub email: &'static str,
    pub mail_language: &'static str,
    pub sign_up: &'static str,
    pub have_account: &'static str,
    pub sign_in: &'static str,
    pub mail_me: &'static str,
    pub new_here: &'static str,
    pub code_title: &'static str,
    pub mailed: &'static str,
    pub mailed_if: &'static str,
    pub good_for: &'static str,
    pub sent_again: &'static str,
    pub sent_new: &'static str,
    pub too_many: &'static str,
    pub code_label: &'static str,
    pub code_again: &'static str,
    pub code_new: &'static str,
    pub wait: &'static str,
    pub wait_over: &'static str,
    pub spam: &'static str,
    pub comes_back: &'static str,
    pub other_address: &'static str,
    pub eight_digits: &'static str,
    pub wrong: &'static str,
    pub wrong_once_more: &'static str,
    pub worn_out: &'static str,
    pub expired: &'static str,
    pub lost: &'static str,
    pub account_title: &'static str,
    pub name_label: &'static str,
    pub country: &'static str,
    pub website: &'static str,
    pub customer_id: &'static str,
    pub open_platform: &'static str,
    pub open_campaign: &'static str,
    pub sign_out: &'static str,
    pub session_over: &'static str,
    pub required: &'static str,
    pub bad_email: &'static str,
    pub bad_field: &'static str,
    pub not_allowed: &'static str,
    pub trouble: &'static str,
    pub trouble_number: &'static str,
    pub busy_title: &'static str,
    pub busy: &'static str,
    pub no_page_title: &'static str,
    pub no_page: &'static str,
    pub to_start: &'static str,
    pub welcome: &'static str,
    pub signed_in_by: &'static str,
    pub campaign: &'static str,
    pub campaign_text: &'static str,
    pub back_to: &'static str,
    pub outside_title: &'static str,
    pub outside: &'static str,
    pub sign_in_with: &'static str,
    pub used_title: &'static str,
    pub used: &'static str,
    pub scenes: &'static str,
    pub scenes_text: &'static str,
    pub language: &'static str,
    pub second: &'static str,
    pub seconds: &'static str,
    pub minute: &'static str,
    pub minutes: &'static str,
}

/// In the order in which the page offers them; the first is for whoever reads none of them.
pub const ALL: [&Words; 3] = [&english::WORDS, &french::WORDS, &spanish::WORDS];

/// The cookie with the tag of a language that was chosen.
pub const COOKIE: &str = "language";

impl Words {
    /// The language of this tag, regions left aside.
    pub fn find(tag: &str) -> Option<&'static Self> {
        let primary = tag.trim().split(['-', ';']).next()?;
        ALL.into_iter().find(|words| words.tag.eq_ignore_ascii_case(primary))
    }

    /// What was chosen, else the first language that the browser wants and the site has.
    fn of(headers: &HeaderMap) -> &'static Self {
        let chosen = super::session::cookie(headers, COOKIE).and_then(|tag| Self::find(&tag));
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|wanted| wanted.to_str().ok()).unwrap_or_default();
        chosen.or_else(|| wanted.split(',').find_map(Self::find)).unwrap_or(ALL[0])
    }

    /// A time in words.
    pub fn time(&self, time: Duration) -> String {
        let seconds = time.as_millis().div_ceil(1000);
        let (words, number) = match seconds {
            1 => (self.second, 1),
            0..60 => (self.seconds, seconds),
            // To the nearest: nobody counts the seconds of some minutes.
            60..90 => (self.minute, 1),
            _ => (self.minutes, (seconds + 30) / 60),
        };
        put(words, "n", &number.to_string())
    }
}

impl<S: Sync> FromRequestParts<S> for &'static Words {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Words::of(&parts.headers))
    }
}

/// The sentence with `value` for the name in braces.
pub fn put(sentence: &str, name: &str, value: &str) -> String {
    sentence.replace(&format!("{{{name}}}"), value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{ALL, Words};

    #[test]
    fn the_browsers_first_language_that_the_site_has_is_taken() {
        for (wanted, tag) in [("fr-CH, fr;q=0.9, en;q=0.8", "fr"), ("de, es-MX;q=0.5", "es"), ("de", "en"), ("", "en")]
        {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(wanted))]);
            assert_eq!(Words::of(&headers).tag, tag, "{wanted}");
        }
        let chosen = [(header::ACCEPT_LANGUAGE, "fr"), (header::COOKIE, "x=1; language=es")];
        let headers = chosen.map(|(name, value)| (name, HeaderValue::from_static(value)));
        assert_eq!(Words::of(&HeaderMap::from_iter(headers)).tag, "es");
    }

    #[test]
    fn times_are_told_in_words() {
        for (seconds, told) in [(1, "one second"), (59, "59 seconds"), (60, "one minute"), (570, "10 minutes")] {
            assert_eq!(ALL[0].time(Duration::from_secs(seconds)), told);
        }
    }
}
