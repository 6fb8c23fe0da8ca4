//! The picture: writes in each tenth of a second, the pause, the steps, on one axis of time.
//!
//! Drawn with whole numbers in the units of the picture, so that the same report gives the same
//! bytes.

use std::fmt::Write as _;

use serde_json::Value;

/// Size of the picture.
const WIDTH: u64 = 1000;
const HEIGHT: u64 = 330;
/// Where the columns stand.
const LEFT: u64 = 46;
const RIGHT: u64 = 990;
const TOP: u64 = 34;
const FLOOR: u64 = 236;
/// Where the bands of the steps lie.
const BANDS: u64 = 252;
const BAND: u64 = 14;
/// Where the times stand.
const TIMES: u64 = 318;
/// Most columns that are drawn; of longer drills several tenths share one.
const COLUMNS_MAX: usize = 900;
/// Most marks on the axis of time.
const MARKS: u64 = 12;

/// The axis of time.
#[derive(Debug, Clone, Copy)]
struct Axis {
    from: u64,
    to: u64,
}

impl Axis {
    /// Where an instant lies.
    fn x(self, at: u64) -> u64 {
        let at = at.clamp(self.from, self.to);
        LEFT + (at - self.from) * (RIGHT - LEFT) / (self.to - self.from).max(1)
    }
}

/// The picture of a report.
pub(super) fn svg(report: &Value) -> String {
    let writes = &report["writes"];
    let counts: Vec<u64> =
        list(&writes["counts"]).iter().map(|count| count.as_u64().unwrap_or_default()).collect();
    let (start, width) = (int(&writes["start_ms"]), int(&writes["bucket_ms"]).max(1));
    let steps = list(&report["record"]["steps"]);
    let end = start + counts.len() as u64 * width;
    let last = steps.iter().map(|step| int(&step["ended_ms"])).max().unwrap_or(end);
    // What came long before the first write is in the table; here it would only press the rest.
    let axis = Axis { from: start, to: end.max(last).max(start + width) };
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#1c2329\">"
    );
    let _ =
        writeln!(svg, "<title>每 100 毫秒确认的写入 · writes acknowledged in each 100 ms</title>");
    pause(&mut svg, report, axis);
    columns(&mut svg, &counts, (start, width), axis);
    bands(&mut svg, steps, axis);
    disturbances(&mut svg, report, axis);
    marks(&mut svg, axis);
    svg.push_str("</svg>\n");
    svg
}

fn pause(svg: &mut String, report: &Value, axis: Axis) {
    let pause = &report["pause"];
    let (from, to) = (int(&pause["from_ms"]), int(&pause["to_ms"]));
    if to <= from || to <= axis.from {
        return;
    }
    let (left, right) = (axis.x(from), axis.x(to));
    let width = (right - left).max(1);
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{TOP}\" width=\"{width}\" height=\"{}\" fill=\"#fde8e8\"/>",
        FLOOR - TOP
    );
    // On the left if there is room: on the right stands what was made up for, and it is tall.
    let room = left > LEFT + 220;
    let (x, anchor) = if room { (left - 5, "end") } else { (right + 5, "start") };
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\" fill=\"#b91c1c\">最长中断 longest pause {} ms</text>",
        TOP + 12,
        to - from
    );
}

fn columns(svg: &mut String, counts: &[u64], (start, width): (u64, u64), axis: Axis) {
    // Several tenths in one column: their mean, rounded up, so that a single write still shows.
    let share = counts.len().div_ceil(COLUMNS_MAX).max(1);
    let heights: Vec<u64> = counts
        .chunks(share)
        .map(|some| some.iter().sum::<u64>().div_ceil(some.len() as u64))
        .collect();
    let most = heights.iter().copied().max().unwrap_or(0).max(1);
    for (place, height) in heights.iter().enumerate() {
        if *height == 0 {
            continue;
        }
        let from = start + (place * share) as u64 * width;
        let (left, right) = (axis.x(from), axis.x(from + share as u64 * width));
        let tall = (height * (FLOOR - TOP) / most).max(1);
        let wide = right.saturating_sub(left).max(1);
        let wide = if wide > 3 { wide - 1 } else { wide };
        let _ = writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{}\" width=\"{wide}\" height=\"{tall}\" fill=\"#0e7490\"/>",
            FLOOR - tall
        );
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {TOP}V{FLOOR}H{RIGHT}\" fill=\"none\" stroke=\"#8a959e\"/>\n\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"end\">{most}</text>\n\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"end\">0</text>\n\
         <text x=\"{LEFT}\" y=\"{}\" fill=\"#5c6973\">确认的写入 / 100 ms · acknowledged</text>",
        TOP + 4,
        FLOOR + 4,
        TOP - 14,
        x = LEFT - 6,
    );
}

fn bands(svg: &mut String, steps: &[Value], axis: Axis) {
    let mut free = [0u64; 3];
    for (place, step) in steps.iter().enumerate() {
        let (began, ended) = (int(&step["began_ms"]), int(&step["ended_ms"]));
        if ended < axis.from {
            continue;
        }
        let left = axis.x(began);
        let width = axis.x(ended).saturating_sub(left).max(3);
        // The first lane that is free there: neighbours that are short stand below each other.
        let lane = free.iter().position(|until| *until <= left).unwrap_or(free.len() - 1);
        free[lane] = left + width.max(16);
        let color = match (step["ok"] == true, step["phase"].as_str().unwrap_or_default()) {
            (false, _) => "#b91c1c",
            (true, "act") => "#c2410c",
            (true, "check") => "#15803d",
            (true, "back") => "#4338ca",
            (true, _) => "#8a959e",
        };
        let y = BANDS + lane as u64 * (BAND + 3);
        let _ = writeln!(
            svg,
            "<g><title>{}</title><rect x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{BAND}\" rx=\"2\" \
             fill=\"{color}\"/><text x=\"{}\" y=\"{}\" font-size=\"9\" fill=\"{}\">{}</text></g>",
            super::page::text(&step["step"]),
            if width >= 14 { left + 3 } else { left + width + 1 },
            y + 10,
            if width >= 14 { "#fff" } else { color },
            place + 1,
        );
    }
}

fn disturbances(svg: &mut String, report: &Value, axis: Axis) {
    for one in list(&report["disturbances"]) {
        let at = int(&one["at_ms"]);
        if at < axis.from {
            continue;
        }
        let x = axis.x(at);
        let node = super::page::text(&one["node"]);
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {}V{}\" stroke=\"#b91c1c\" stroke-dasharray=\"4 3\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#b91c1c\">⚡{node}</text>",
            TOP - 4,
            FLOOR + 4,
            TOP - 7,
        );
    }
}

fn marks(svg: &mut String, axis: Axis) {
    let span = axis.to - axis.from;
    let pace = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000]
        .into_iter()
        .find(|pace| span / pace <= MARKS)
        .unwrap_or(3_600_000);
    for place in 0..=span / pace {
        let ms = place * pace;
        let x = axis.x(axis.from + ms);
        let label = if ms.is_multiple_of(1_000) {
            format!("{} s", ms / 1_000)
        } else {
            format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
        };
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {FLOOR}v5\" stroke=\"#8a959e\"/>\
             <text x=\"{x}\" y=\"{TIMES}\" text-anchor=\"middle\" fill=\"#5c6973\">{label}</text>"
        );
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn int(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_picture_shows_columns_pause_steps_and_the_act() {
        let report = json!({
            "writes": { "start_ms": 1_000, "bucket_ms": 100, "counts": [10, 10, 0, 0, 5, 10] },
            "pause": { "from_ms": 1_190, "to_ms": 1_410 },
            "record": { "steps": [
                { "phase": "precheck", "step": "one-leader", "began_ms": 100, "ended_ms": 200, "ok": true },
                { "phase": "act", "step": "kill-leader", "began_ms": 1_180, "ended_ms": 1_200, "ok": true },
                { "phase": "check", "step": "nothing-lost", "began_ms": 1_500, "ended_ms": 1_600, "ok": false },
            ] },
            "disturbances": [{ "at_ms": 1_185, "node": "2" }],
        });
        let svg = svg(&report);
        assert_eq!(svg.matches("fill=\"#0e7490\"").count(), 4, "{svg}");
        assert!(svg.contains("220 ms") && svg.contains("⚡2"), "{svg}");
        assert!(svg.contains("kill-leader") && !svg.contains("one-leader"), "{svg}");
        assert!(svg.contains("fill=\"#b91c1c\"/><text"), "the failed step is red: {svg}");
    }

    #[test]
    fn a_drill_without_writes_has_a_picture_too() {
        assert!(svg(&json!({})).contains("</svg>"));
    }

    #[test]
    fn long_drills_share_columns() {
        let report = json!({
            "writes": { "start_ms": 0, "bucket_ms": 100, "counts": vec![7; 10_000] },
        });
        let columns = svg(&report).matches("fill=\"#0e7490\"").count();
        assert!((500..=COLUMNS_MAX).contains(&columns), "{columns}");
    }
}
