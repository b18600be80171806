//! The sentences of the mail in each language. A translator copies a file of `locales/`, and adds its name to the list here.

use std::time::Duration;

use serde::Deserialize;
use shared::{Timestamp, app::Brand};

use super::sentence::{Part, Sentence};

macro_rules! locales {
    ($($tag:literal),+) => { &[$(($tag, include_str!(concat!("../../locales/", $tag, ".json")))),+] };
}

/// The tag and the file of every language. The first is for whoever has none of them.
pub const LOCALES: &[(&str, &str)] = locales!["en", "fr", "es", "de", "pt", "it"];

/// One language's file. In a sentence, `{brand}`, `{minutes}`, `{date}`, `{time}`, `{site}` and `{support}` stand for what
/// their names say; in a date, `{day}`, `{month}` and `{year}` do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locale {
    /// The language's tag, for `lang`.
    #[serde(skip)]
    pub language: &'static str,
    subject: String,
    heading: String,
    intro: String,
    expiry_minutes: String,
    expiry_minute: String,
    expiry_soon: String,
    secrecy: String,
    asked: String,
    asked_site: String,
    unasked: String,
    support: String,
    date: String,
    /// How the first day of a month is written.
    first_day: String,
    months: [String; 12],
}

/// The sentences with everything in its place.
#[derive(Debug)]
pub struct Words {
    /// The subject.
    pub subject: Sentence,
    /// Above the text.
    pub heading: String,
    /// What to do with the code.
    pub intro: Sentence,
    /// For how long it is valid.
    pub expiry: Sentence,
    /// Not to give it away.
    pub secrecy: Sentence,
    /// When it was asked for.
    pub asked: Sentence,
    /// When it was asked for, and for which site; only for a brand that has one.
    pub asked_site: Option<Sentence>,
    /// What to do if it was not asked for.
    pub unasked: Sentence,
    /// Where to ask; only for a brand that says where.
    pub support: Option<Sentence>,
}

impl Locale {
    /// The language for the first of these tags that there is one for.
    pub fn for_tags(tags: &[Option<&str>]) -> serde_json::Result<Self> {
        let found = tags.iter().flatten().find_map(|tag| lookup(tag)).or(LOCALES.first());
        let (language, text) = found.ok_or_else(|| serde::de::Error::custom("there is no locale"))?;
        Ok(Self { language, ..serde_json::from_str(text)? })
    }

    /// The sentences for a mail with a code that was asked for at this moment and is valid for so long.
    pub fn words(&self, brand: &Brand, asked_at: Timestamp, valid_for: Duration) -> Words {
        // A code that was made a moment ago has all of its minutes left.
        let minutes = (valid_for.as_secs() + 5) / 60;
        let expiry = match minutes {
            0 => &self.expiry_soon,
            1 => &self.expiry_minute,
            _ => &self.expiry_minutes,
        };
        let (date, time) = self.moment(asked_at);
        let mut values = vec![
            ("brand", Part::Name(brand.name.clone())),
            ("minutes", Part::Words(minutes.to_string())),
            ("date", Part::Words(date)),
            ("time", Part::Words(time)),
        ];
        values.extend(brand.site.clone().map(|site| ("site", Part::Host(site))));
        values.extend(brand.support_email.clone().map(|support| ("support", Part::Name(support))));
        let sentence = |pattern: &str| Sentence::fill(pattern, &values);
        Words {
            subject: sentence(&self.subject),
            heading: self.heading.clone(),
            intro: sentence(&self.intro),
            expiry: sentence(expiry),
            secrecy: sentence(&self.secrecy),
            asked: sentence(&self.asked),
            asked_site: brand.site.as_ref().map(|_| sentence(&self.asked_site)),
            unasked: sentence(&self.unasked),
            support: brand.support_email.as_ref().map(|_| sentence(&self.support)),
        }
    }

    /// The date, as this language writes it, and the time, both in UTC.
    fn moment(&self, at: Timestamp) -> (String, String) {
        let rfc3339 = at.to_rfc3339();
        let field = |range| rfc3339.get(range).unwrap_or_default();
        let month = field(5..7).parse().ok().and_then(|month: usize| self.months.get(month.checked_sub(1)?));
        let day = match field(8..10) {
            "01" => &self.first_day,
            day => day.trim_start_matches('0'),
        };
        let values = [
            ("day", Part::Words(day.to_owned())),
            ("month", Part::Words(month.cloned().unwrap_or_default())),
            ("year", Part::Words(field(0..4).to_owned())),
        ];
        (Sentence::fill(&self.date, &values).to_string(), field(11..16).to_owned())
    }
}

/// The language for a tag, by the lookup of RFC 4647 (section 3.4): subtags go from the end until one matches.
fn lookup(tag: &str) -> Option<&'static (&'static str, &'static str)> {
    let found = LOCALES.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
    found.or_else(|| lookup(tag.rsplit_once('-')?.0))
}
