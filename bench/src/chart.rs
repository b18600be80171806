//! Charts as SVG, legible on a light and on a dark page.

use std::fmt::Write as _;

const STYLE: &str = "<style>text{font:12px system-ui,sans-serif;fill:#24292f}.grid{stroke:#8884}.a{fill:#1f6feb;stroke:#1f6feb}.b{fill:#e3702b;stroke:#e3702b}path{fill:none!important;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>";

/// Horizontal bars on a logarithmic scale: `(name, value, text)`.
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

/// A line over the callers, one point each `(callers, rate, latency in ms)`: the rate from the left axis, the latency, on a
/// logarithmic scale, from the right one.
pub fn load(title: &str, points: &[(usize, f64, f64)]) -> String {
    let (left, top, width, height) = (70.0, 40.0, 560.0, 240.0);
    let most = points.iter().fold(1.0_f64, |most, point| most.max(point.1)) * 1.1;
    let (low, high) = points.iter().fold((f64::MAX, 0.0_f64), |(low, high), it| (low.min(it.2), high.max(it.2)));
    let (low, high) = (low / 1.5, high * 1.5);
    let x = |index: usize| left + width * index as f64 / (points.len() - 1).max(1) as f64;
    let rate = |rate: f64| top + height * (1.0 - rate / most);
    let latency = |ms: f64| top + height * (1.0 - (ms / low).ln() / (high / low).ln());
    let mut svg = open(title, 720.0, 330.0);
    for (index, (callers, a, b)) in points.iter().enumerate() {
        let (x, a_y, b_y) = (x(index), rate(*a), latency(*b));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.0}" y1="{top}" x2="{x:.0}" y2="{}"/><text x="{x:.0}" y="{}" text-anchor="middle">{callers}</text><circle class="a" cx="{x:.0}" cy="{a_y:.0}" r="4"/><text x="{x:.0}" y="{:.0}" text-anchor="middle">{a:.0}/s</text><circle class="b" cx="{x:.0}" cy="{b_y:.0}" r="4"/><text x="{x:.0}" y="{:.0}" text-anchor="middle">{b:.0} ms</text>"#,
            top + height,
            top + height + 18.0,
            a_y - 8.0,
            b_y + 18.0,
        );
    }
    let path = |y: &dyn Fn(usize) -> f64| {
        let points = (0..points.len()).map(|index| format!("{:.0} {:.0}", x(index), y(index)));
        format!("M{}", points.collect::<Vec<_>>().join("L"))
    };
    let _ = write!(
        svg,
        r#"<path class="a" d="{}"/><path class="b" d="{}"/><text x="{left}" y="{}">callers at once; blue: requests a second; orange: p99, logarithmic</text>"#,
        path(&|index| rate(points[index].1)),
        path(&|index| latency(points[index].2)),
        top + height + 40.0,
    );
    svg + "</svg>\n"
}

fn open(title: &str, width: f64, height: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{STYLE}<text x="8" y="18" font-weight="bold">{title}</text>"#
    )
}
