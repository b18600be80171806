//! Charts as SVG, legible on a light and on a dark page.

use std::fmt::Write as _;

const STYLE: &str = "<style>text{font:12px system-ui,sans-serif;fill:#24292f}.grid{stroke:#8884}.a{fill:#1f6feb;stroke:#1f6feb}.b{fill:#e3702b;stroke:#e3702b}path{fill:none!important;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>";

/// Horizontal bars of two parts each, on a logarithmic scale: `(name, total, text)`.
pub fn bars(title: &str, bars: &[(String, f64, String)]) -> String {
    let (left, width, row) = (170.0, 460.0, 22.0);
    let height = 40.0 + row * bars.len() as f64;
    let (low, high) = bars.iter().fold((f64::MAX, 0.0_f64), |(low, high), bar| (low.min(bar.1), high.max(bar.1)));
    // The shortest bar stays visible.
    let low = low / 2.0;
    let scale = |value: f64| width * (value / low).ln() / (high / low).ln();
    let mut svg = open(title, 760.0, height);
    for (index, (name, value, text)) in bars.iter().enumerate() {
        let y = 34.0 + row * index as f64;
        let length = scale(*value);
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end">{name}</text><rect class="a" x="{left}" y="{y}" width="{length:.1}" height="14" rx="2"/><text x="{:.1}" y="{}">{text}</text>"#,
            left - 8.0,
            y + 12.0,
            left + length + 6.0,
            y + 12.0,
        );
    }
    svg + "</svg>\n"
}

fn open(title: &str, width: f64, height: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{STYLE}<text x="8" y="18" font-weight="bold">{title}</text>"#
    )
}
