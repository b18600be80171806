//! The sentences of the mail in each language. A translator copies a file of `locales/`, and adds a line here.

use std::time::Duration;

use serde::Deserialize;

/// Every language; the first is for whoever has no other.
pub const LOCALES: [&str; 2] = [include_str!("../../locales/en.json"), include_str!("../../locales/fr.json")];

/// One language's file. In the sentences, `{brand}`, `{minutes}` and `{support}` stand for what their names say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locale {
    /// The language's tag, for `lang`.
    pub language: String,
    /// The countries whose customers are written to in it, as codes and names.
    pub countries: Vec<String>,
    subject: String,
    heading: String,
    intro: String,
    expiry_minutes: String,
    expiry_minute: String,
    expiry_soon: String,
    secrecy: String,
    unasked: String,
    support: String,
}

/// The sentences with everything in its place.
#[derive(Debug)]
pub struct Words {
    /// The subject.
    pub subject: String,
    /// Above the text.
    pub heading: String,
    /// What to do with the code.
    pub intro: String,
    /// For how long it is valid.
    pub expiry: String,
    /// Not to give it away.
    pub secrecy: String,
    /// What to do if it was not asked for.
    pub unasked: String,
    /// Where to ask; only for a brand that says where.
    pub support: Option<String>,
}

impl Locale {
    /// The language for a customer's country, as they or the App wrote it.
    pub fn of_country(country: Option<&str>) -> serde_json::Result<Self> {
        let country = country.unwrap_or_default().trim().to_lowercase();
        let mut first = None;
        for text in LOCALES {
            let locale: Self = serde_json::from_str(text)?;
            if locale.countries.iter().any(|known| known.to_lowercase() == country) {
                return Ok(locale);
            }
            first.get_or_insert(locale);
        }
        first.ok_or_else(|| serde::de::Error::custom("there is no locale"))
    }

    /// The sentences for one mail.
    pub fn words(&self, brand: &str, valid_for: Duration, support: Option<&str>) -> Words {
        // A code that was made a moment ago has all of its minutes left.
        let minutes = (valid_for.as_secs() + 5) / 60;
        let expiry = match minutes {
            0 => &self.expiry_soon,
            1 => &self.expiry_minute,
            _ => &self.expiry_minutes,
        };
        let with_brand = |sentence: &str| sentence.replace("{brand}", brand);
        Words {
            subject: with_brand(&self.subject),
            heading: self.heading.clone(),
            intro: with_brand(&self.intro),
            expiry: expiry.replace("{minutes}", &minutes.to_string()),
            secrecy: with_brand(&self.secrecy),
            unasked: self.unasked.clone(),
            support: support.map(|support| self.support.replace("{support}", support)),
        }
    }
}
