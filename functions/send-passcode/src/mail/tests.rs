use std::{collections::BTreeSet, fs, time::Duration};

use proptest::prelude::*;
use serde_json::Value;
use shared::{Timestamp, app::Brand};

use super::{Mail, Sent, colour::Colour, locale::LOCALES, render};

const CODE: &str = "1234 5678";
/// 2026-11-24T09:30:07Z.
const ASKED_AT: Timestamp = Timestamp::from_millis(1_795_512_607_000);

fn brand(name: &str) -> Brand {
    Brand { name: name.to_owned(), ..Brand::default() }
}

fn mail(brand: &Brand, language: Option<&str>, seconds: u64) -> Mail {
    mail_at(brand, language, seconds, ASKED_AT)
}

fn mail_at(brand: &Brand, language: Option<&str>, seconds: u64, asked_at: Timestamp) -> Mail {
    render(brand, language, Sent { code: CODE, asked_at, valid_for: Duration::from_secs(seconds) }).unwrap()
}

/// A brand with everything that adds a sentence.
fn full_brand(name: &str) -> Brand {
    Brand {
        support_email: Some("help@acme.example".to_owned()),
        site: Some("app.acme.example".to_owned()),
        ..brand(name)
    }
}

/// The body of the HTML: what is before it has braces of its own.
fn body(mail: &Mail) -> &str {
    mail.html.split_once("<body").unwrap().1
}

#[test]
fn the_text_in_english() {
    let mail = mail(&full_brand("Acme"), Some("en-GB"), 599);
    assert_eq!(mail.subject, "Your passcode for Acme");
    assert_eq!(
        mail.text,
        "Enter this passcode to sign in to Acme:\n\n    1234 5678\n\nThe passcode is valid for 10 minutes and can be used once. \
         Do not give it to anybody. Acme will never ask you for it by phone or by e-mail.\n\nThe passcode was asked for on \
         24 November 2026 at 09:30 (UTC). If you did not ask for it, somebody may have typed this address by mistake. \
         Nobody can sign in without the passcode, and you need not do anything.\n\nQuestions? Write to \
         help@acme.example.\n\nAcme\n\n@app.acme.example #12345678"
    );
}

#[test]
fn each_language_says_what_it_is_and_when_the_code_was_asked_for() {
    let languages = [
        ("en", "Your passcode for Acme", "asked for on 24 November 2026 at 09:30 (UTC)."),
        ("fr", "Votre code de connexion à Acme", "demandé le 24\u{a0}novembre 2026 à 09:30 (UTC)."),
        ("es", "Su código de acceso a Acme", "se solicitó el 24\u{a0}de noviembre de 2026 (09:30 UTC)."),
        ("de", "Ihr Anmeldecode für Acme", "wurde am 24.\u{a0}November 2026 um 09:30\u{a0}Uhr (UTC) angefordert."),
        ("pt", "O seu código de acesso a Acme", "solicitado em 24\u{a0}de novembro de 2026 (09:30 UTC)."),
        ("it", "Codice di accesso a Acme", "richiesto in data 24\u{a0}novembre 2026 alle ore 09:30 (UTC)."),
    ];
    assert_eq!(languages.len(), LOCALES.len());
    for (tag, subject, asked) in languages {
        let mail = mail(&brand("Acme"), Some(tag), 600);
        assert_eq!(mail.subject, subject);
        assert!(mail.text.contains(asked), "{}", mail.text);
        assert!(mail.html.contains(&format!("<html lang=\"{tag}\"")), "{tag}");
    }
}

#[test]
fn the_first_of_a_month_is_written_as_the_language_writes_it() {
    let first = Timestamp::from_millis(1_767_225_600_000);
    for (tag, date) in
        [("fr", " 1er\u{a0}janvier 2026"), ("it", " 1º\u{a0}gennaio 2026"), ("de", " 1.\u{a0}Januar 2026")]
    {
        let text = mail_at(&brand("Acme"), Some(tag), 600, first).text;
        assert!(text.contains(date), "{text}");
    }
}

#[test]
fn french_has_spaces_that_do_not_break_before_its_marks() {
    let text = mail(&full_brand("Acme"), Some("fr"), 600).text;
    assert!(text.contains("Acme\u{a0}:\n") && text.contains("question\u{202f}?"), "{text}");
    for mark in [" :", " ?", " !", " ;"] {
        assert!(!text.contains(mark), "{text}");
    }
}

#[test]
fn the_customers_language_comes_before_the_brands_and_english_is_last() {
    for (customer, of_brand, chosen) in [
        (Some("pt-BR"), Some("fr"), "pt"),
        (Some("de-AT-1996"), None, "de"),
        (Some("FR-ca"), None, "fr"),
        (Some("de-x-acme"), None, "de"),
        (Some("pl"), Some("it-CH"), "it"),
        (Some("pl"), Some("uk"), "en"),
        (None, Some("es-419"), "es"),
        (Some("d"), None, "en"),
        (Some("dex"), None, "en"),
        (Some(""), None, "en"),
        (None, None, "en"),
    ] {
        let brand = Brand { language: of_brand.map(str::to_owned), ..brand("Acme") };
        let html = mail(&brand, customer, 600).html;
        assert!(html.contains(&format!("lang=\"{chosen}\"")), "{customer:?} {of_brand:?} {chosen}");
    }
}

#[test]
fn how_long_it_is_valid_is_not_overstated() {
    let says =
        |seconds, words: &str| assert!(mail(&brand("A"), None, seconds).text.contains(words), "{seconds}: {words}");
    says(600, "10 minutes");
    says(590, "9 minutes");
    says(119, "2 minutes");
    says(90, "one minute");
    says(30, "less than a minute");
}

#[test]
fn text_and_html_hold_the_code_and_neither_subject_nor_preview_does() {
    for (tag, _) in LOCALES {
        let mail = mail(&full_brand("Acme"), Some(tag), 600);
        assert!(mail.text.contains(CODE) && mail.html.contains(CODE));
        assert!(!mail.subject.chars().any(char::is_numeric));
        let preview = body(&mail).split_once("</div>").unwrap().0;
        assert!(preview.contains("2026") && !preview.contains("1234") && !preview.contains("5678"), "{preview}");
        assert!(preview.ends_with(&"&nbsp;&zwnj;".repeat(100)));
    }
}

#[test]
fn the_last_line_binds_the_code_to_the_site() {
    for (tag, _) in LOCALES {
        let with_site = mail(&full_brand("Acme"), Some(tag), 600).text;
        assert_eq!(with_site.lines().last(), Some("@app.acme.example #12345678"));
        assert_eq!(with_site.matches("app.acme.example").count(), 1, "{with_site}");
        assert!(with_site.ends_with("12345678"));
        let without = mail(&brand("Acme"), Some(tag), 600).text;
        assert_eq!(without.lines().last(), Some("Acme"));
        assert!(!without.contains(['@', '#']), "{without}");
    }
}

#[test]
fn there_is_nothing_to_click_and_nothing_to_fetch() {
    let brand = Brand { site: Some("www.acme.example".to_owned()), ..brand("Acme") };
    let mail = mail(&brand, None, 600);
    let text = mail.text.strip_suffix("@www.acme.example #12345678").unwrap();
    for forbidden in ["http", "www.", ".example", "<a ", "<img", "<script", "<link", "url(", "@import", "src=", "href"]
    {
        assert!(!mail.html.contains(forbidden) && !text.contains(forbidden), "{forbidden}");
    }
    assert!(mail.html.contains("<span dir=\"ltr\">www<span>.</span>acme<span>.</span>example</span>"), "{}", mail.html);
}

#[test]
fn a_logo_takes_the_place_of_the_name_and_says_it() {
    let mut brand = brand("Acme & \"Sons\"");
    brand.logo_url = Some("https://acme.example/logo.png?a=1&b=\"><script>".to_owned());
    let mail = mail(&brand, None, 600);
    assert_eq!(mail.html.matches("<img").count(), 1);
    assert!(mail.html.contains("alt=\"Acme &#38; &#34;Sons&#34;\""), "{}", mail.html);
    assert!(!mail.html.contains("<script"));
}

#[test]
fn a_name_from_right_to_left_does_not_turn_the_words_around_it() {
    for name in ["אקמי", "شركة أكمي", "Acme (אקמי)"] {
        let mail = mail(&full_brand(name), None, 600);
        assert_eq!(mail.subject, format!("Your passcode for \u{2068}{name}\u{2069}"));
        assert!(mail.text.contains(&format!("sign in to \u{2068}{name}\u{2069}:")));
        // In the head, and in two sentences.
        assert_eq!(mail.html.matches(&format!("<span dir=\"auto\">{name}</span>")).count(), 3);
    }
    assert!(!mail(&full_brand("Société 株式会社"), None, 600).text.contains('\u{2068}'));
}

#[test]
fn a_name_is_not_read_as_a_place_for_another_value() {
    let mail = mail(&full_brand("{support}"), None, 600);
    assert_eq!(mail.subject, "Your passcode for {support}");
    assert!(mail.text.contains("sign in to {support}:"));
}

/// The values that each sentence has a place for, the same in every language.
const PLACES: [(&str, &[&str]); 12] = [
    ("subject", &["brand"]),
    ("heading", &[]),
    ("intro", &["brand"]),
    ("expiry_minutes", &["minutes"]),
    ("expiry_minute", &[]),
    ("expiry_soon", &[]),
    ("secrecy", &["brand"]),
    ("asked", &["date", "time"]),
    ("asked_site", &["date", "time", "site"]),
    ("unasked", &[]),
    ("support", &["support"]),
    ("date", &["day", "month", "year"]),
];

#[test]
fn every_sentence_of_every_language_has_its_places_each_once() {
    for (tag, text) in LOCALES {
        let file: Value = serde_json::from_str(text).unwrap();
        for (sentence, places) in PLACES {
            let sentence = file[sentence].as_str().unwrap();
            for place in places {
                assert_eq!(sentence.matches(&format!("{{{place}}}")).count(), 1, "{tag}: {sentence}");
            }
            assert_eq!(sentence.matches(['{', '}']).count(), 2 * places.len(), "{tag}: {sentence}");
        }
        let sentences: BTreeSet<_> =
            PLACES.iter().map(|(sentence, _)| *sentence).chain(["first_day", "months"]).collect();
        assert_eq!(file.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), sentences, "{tag}");
    }
}

#[test]
fn no_mail_shows_a_place_instead_of_a_value() {
    for (tag, _) in LOCALES {
        for brand in [brand("Acme"), full_brand("Acme")] {
            for seconds in [600, 60, 10] {
                let mail = mail(&brand, Some(tag), seconds);
                for shown in [&mail.subject, &mail.text, body(&mail)] {
                    assert!(!shown.contains(['{', '}']), "{tag}: {shown}");
                }
            }
        }
    }
}

#[test]
fn every_language_on_disk_is_compiled_in_once() {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/locales")).unwrap();
    let mut on_disk: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut compiled_in: Vec<_> = LOCALES.iter().map(|(tag, _)| format!("{tag}.json")).collect();
    on_disk.sort();
    compiled_in.sort();
    assert_eq!(compiled_in, on_disk);
    assert_eq!(LOCALES[0].0, "en");
}

#[test]
fn text_on_any_colour_can_be_read() {
    for red in (0..=255).step_by(15) {
        for green in (0..=255).step_by(15) {
            for blue in (0..=255).step_by(15) {
                let colour = Colour::parse(&format!("#{red:02x}{green:02x}{blue:02x}")).unwrap();
                assert!(colour.contrast(colour.readable_on()) >= 4.5, "{colour}");
            }
        }
    }
    assert_eq!(Colour::parse("#ggg000"), None);
    assert_eq!(Colour::parse("#ää11"), None);
}

proptest! {
    #[test]
    fn no_brand_adds_markup(name in "\\PC{1,40}", support in "\\PC{1,40}") {
        let plain = mail(&full_brand("n"), None, 600);
        let mail = mail(&Brand { support_email: Some(support), ..full_brand(&name) }, None, 600);
        prop_assert_eq!(mail.html.matches('<').count(), plain.html.matches('<').count());
        prop_assert_eq!(mail.html.matches('"').count(), plain.html.matches('"').count());
    }
}
