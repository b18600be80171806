use std::time::Duration;

use proptest::prelude::*;
use shared::app::Brand;

use super::{Mail, colour::Colour, locale, render};

const CODE: &str = "1234 5678";

fn brand(name: &str) -> Brand {
    Brand { name: name.to_owned(), ..Brand::default() }
}

fn mail(brand: &Brand, country: Option<&str>, seconds: u64) -> Mail {
    render(brand, country, CODE, Duration::from_secs(seconds)).unwrap()
}

#[test]
fn the_text_in_english() {
    let mut brand = brand("Acme");
    brand.support_email = Some("help@acme.example".to_owned());
    let mail = mail(&brand, Some("GB"), 599);
    assert_eq!(mail.subject, "Your passcode for Acme");
    assert_eq!(
        mail.text,
        "Enter this passcode to sign in to Acme:\n\n    1234 5678\n\nIt is valid for 10 minutes and can be used once. Do not \
         give it to anybody. Acme will never ask you for it by phone or by e-mail.\n\nYou did not ask for it? Then somebody \
         may have typed your address by mistake. Without the passcode nobody can sign in, and you need not do \
         anything.\n\nQuestions? Write to help@acme.example.\n\n-- \nAcme"
    );
}

#[test]
fn the_text_in_french() {
    for country in ["FR", "fr", " France "] {
        let mail = mail(&brand("Acme"), Some(country), 61);
        assert_eq!(mail.subject, "Votre code d’accès à Acme");
        assert!(
            mail.text
                .starts_with("Saisissez ce code pour vous connecter à Acme :\n\n    1234 5678\n\nIl est valable une")
        );
        assert!(mail.html.contains("lang=\"fr\""));
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
fn text_and_html_hold_the_code_and_the_subject_does_not() {
    for country in [None, Some("FR")] {
        let mail = mail(&brand("Acme"), country, 600);
        assert!(mail.text.contains(CODE) && mail.html.contains(CODE));
        assert!(!mail.subject.chars().any(char::is_numeric));
    }
}

#[test]
fn there_is_nothing_to_click_and_nothing_to_fetch() {
    let mail = mail(&brand("Acme"), None, 600);
    for forbidden in ["http", "www.", "<a ", "<img", "<script", "<link", "url(", "@import", "src="] {
        assert!(!mail.html.contains(forbidden) && !mail.text.contains(forbidden), "{forbidden}");
    }
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
fn every_language_has_every_placeholder() {
    for text in locale::LOCALES {
        let file: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::from_str::<locale::Locale>(text).unwrap();
        for (sentence, placeholder) in [
            ("subject", "{brand}"),
            ("intro", "{brand}"),
            ("secrecy", "{brand}"),
            ("expiry_minutes", "{minutes}"),
            ("support", "{support}"),
        ] {
            let sentence = file[sentence].as_str().unwrap();
            assert_eq!(sentence.matches(placeholder).count(), 1, "{sentence}");
            assert_eq!(sentence.matches('{').count(), 1, "{sentence}");
        }
    }
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
        let plain = mail(&Brand { support_email: Some("s".to_owned()), ..brand("n") }, None, 600);
        let mail = mail(&Brand { support_email: Some(support), ..brand(&name) }, None, 600);
        prop_assert_eq!(mail.html.matches('<').count(), plain.html.matches('<').count());
        prop_assert_eq!(mail.html.matches('"').count(), plain.html.matches('"').count());
    }
}
