//! Compare: both systems in turn, round by round; what counts is the ratio within a round.
//!
//! A machine that others use drifts by a third within an hour. Two numbers of one round stand under
//! the same drift, so that only their ratios are put together over the rounds.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::rows::Figures;

/// What one round found.
#[derive(Debug, Clone)]
pub struct Round {
    /// Of the catalog nodes.
    pub luqiao: Figures,
    /// Of etcd.
    pub etcd: Figures,
}

/// How a row is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    /// Ours over etcd's is at least so much.
    RatioAtLeast(f64, f64),
    /// Ours over etcd's is at most so much.
    RatioAtMost(f64, f64),
    /// Ours alone is at most so much.
    AtMost(f64, f64),
    /// Ours alone is at least so much.
    AtLeast(f64, f64),
    /// The floor is a ratio, the aim a figure of ours alone.
    RatioThenAtMost(f64, f64),
    /// Told, not judged.
    Told,
}

/// A line of the table: its name, our figure, etcd's, and the bound with floor and aim.
struct Line {
    name: &'static str,
    ours: (&'static str, &'static str),
    etcds: Option<(&'static str, &'static str)>,
    unit: &'static str,
    bound: Bound,
}

const fn line(
    name: &'static str,
    ours: (&'static str, &'static str),
    etcds: Option<(&'static str, &'static str)>,
    unit: &'static str,
    bound: Bound,
) -> Line {
    Line { name, ours, etcds, unit, bound }
}

use Bound::{AtLeast, AtMost, RatioAtLeast, RatioAtMost, RatioThenAtMost, Told};

const RATE: &str = "per_second";
const P99: &str = "p99_ms";
const COMMANDS: &str = "commands_per_second";

const LINES: &[Line] = &[
    line(
        "core writes, unary, 64 clients",
        ("core_64", RATE),
        Some(("core_64", RATE)),
        "/s",
        RatioAtLeast(1.5, 3.0),
    ),
    line("… p99", ("core_64", P99), Some(("core_64", P99)), "ms", RatioAtMost(1.0, 1.0)),
    line(
        "core writes, unary, 256 clients",
        ("core_256", RATE),
        Some(("core_256", RATE)),
        "/s",
        RatioAtLeast(1.5, 3.0),
    ),
    line("… p99", ("core_256", P99), Some(("core_256", P99)), "ms", RatioAtMost(1.0, 1.0)),
    line(
        "lawful writes, unary, 64 clients",
        ("lawful_64", RATE),
        Some(("core_64", RATE)),
        "/s",
        RatioAtLeast(1.0, 2.0),
    ),
    line("… p99", ("lawful_64", P99), Some(("core_64", P99)), "ms", Told),
    line(
        "lawful writes, unary, 256 clients",
        ("lawful_256", RATE),
        Some(("core_256", RATE)),
        "/s",
        RatioAtLeast(1.0, 2.0),
    ),
    line("… p99", ("lawful_256", P99), Some(("core_256", P99)), "ms", Told),
    line("new versions of published entries, 64 clients", ("revise_64", RATE), None, "/s", Told),
    line(
        "… their commands (four each)",
        ("revise_64", COMMANDS),
        Some(("core_64", RATE)),
        "/s",
        Told,
    ),
    line("new versions of published entries, 256 clients", ("revise_256", RATE), None, "/s", Told),
    line(
        "… their commands (four each)",
        ("revise_256", COMMANDS),
        Some(("core_256", RATE)),
        "/s",
        Told,
    ),
    line(
        "core writes by stream",
        ("stream", RATE),
        Some(("core_256", RATE)),
        "/s",
        RatioAtLeast(3.0, 8.0),
    ),
    line(
        "linearizable reads, 64 clients",
        ("read_64", RATE),
        Some(("read_64", RATE)),
        "/s",
        RatioAtLeast(1.2, 2.0),
    ),
    line("… p99", ("read_64", P99), Some(("read_64", P99)), "ms", RatioAtMost(1.0, 1.0)),
    line(
        "linearizable reads, 256 clients",
        ("read_256", RATE),
        Some(("read_256", RATE)),
        "/s",
        RatioAtLeast(1.2, 2.0),
    ),
    line("… p99", ("read_256", P99), Some(("read_256", P99)), "ms", RatioAtMost(1.0, 1.0)),
    line(
        "lists of 1,000, linearizable, 16 clients",
        ("list", RATE),
        Some(("list", RATE)),
        "/s",
        RatioAtLeast(3.0, 10.0),
    ),
    line(
        "write gap, leader killed -9",
        ("kill", "gap_ms"),
        Some(("kill", "gap_ms")),
        "ms",
        RatioThenAtMost(0.6, 400.0),
    ),
    line(
        "write gap, planned transfer",
        ("transfer", "gap_ms"),
        Some(("transfer", "gap_ms")),
        "ms",
        AtMost(50.0, 10.0),
    ),
    line(
        "… failed attempts",
        ("transfer", "failed_attempts"),
        Some(("transfer", "failed_attempts")),
        "",
        AtMost(0.0, 0.0),
    ),
    line(
        "watch: call → event, p99, 64 watchers",
        ("watch", P99),
        Some(("watch", P99)),
        "ms",
        RatioThenAtMost(1.0, 2.0),
    ),
    line(
        "restart with 1 M keys",
        ("million", "restart_seconds"),
        Some(("million", "restart_seconds")),
        "s",
        AtMost(10.0, 3.0),
    ),
    line(
        "resident memory with 1 M keys, greatest node",
        ("million", "resident_mib"),
        Some(("million", "resident_mib")),
        "MiB",
        AtMost(1144.0, 572.0),
    ),
    line(
        "throughput at 1 M keys vs at 10 k",
        ("million", "kept"),
        Some(("million", "kept")),
        "×",
        AtLeast(0.8, 0.95),
    ),
    line(
        "restart with 1 M catalog entries",
        ("entries", "restart_seconds"),
        None,
        "s",
        AtMost(10.0, 3.0),
    ),
    line(
        "resident memory with 1 M catalog entries, greatest node",
        ("entries", "resident_mib"),
        None,
        "MiB",
        AtMost(1144.0, 572.0),
    ),
    line(
        "lawful writes at 1 M catalog entries vs before",
        ("entries", "kept"),
        None,
        "×",
        AtLeast(0.8, 0.95),
    ),
];

fn figure(figures: &Figures, (row, name): (&str, &str)) -> Option<f64> {
    match &figures.get(row)?[name] {
        Value::Array(each) => each.iter().filter_map(Value::as_f64).max_by(f64::total_cmp),
        one => one.as_f64(),
    }
}

/// Middle, least and greatest.
fn spread(mut found: Vec<f64>) -> Option<(f64, f64, f64)> {
    found.sort_by(f64::total_cmp);
    let (first, last) = (*found.first()?, *found.last()?);
    let half = found.len() / 2;
    let middle = if found.len() % 2 == 1 {
        found[half]
    } else {
        f64::midpoint(found[half - 1], found[half])
    };
    Some((middle, first, last))
}

fn told((middle, least, most): (f64, f64, f64)) -> String {
    let number = |number: f64| match number.abs() {
        size if size >= 1000.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    };
    format!("{} ({}–{})", number(middle), number(least), number(most))
}

impl Bound {
    fn judge(self, ours: f64, ratio: Option<f64>) -> &'static str {
        let (floor, aim) = match self {
            RatioAtLeast(floor, aim) => match ratio {
                Some(ratio) => (ratio >= floor, ratio >= aim),
                None => return "",
            },
            RatioAtMost(floor, aim) => match ratio {
                Some(ratio) => (ratio <= floor, ratio <= aim),
                None => return "",
            },
            RatioThenAtMost(floor, aim) => match ratio {
                Some(ratio) => (ratio <= floor, ours <= aim),
                None => return "",
            },
            AtMost(floor, aim) => (ours <= floor, ours <= aim),
            AtLeast(floor, aim) => (ours >= floor, ours >= aim),
            Told => return "",
        };
        match (floor, aim) {
            (true, true) => "aim",
            (false, true) => "aim, but not the floor",
            (true, false) => "floor",
            (false, false) => "MISSED",
        }
    }

    fn asked(self) -> String {
        match self {
            RatioAtLeast(floor, aim) => format!("≥ {floor} ×, aim ≥ {aim} ×"),
            RatioAtMost(floor, _) => format!("≤ {floor} ×"),
            RatioThenAtMost(floor, aim) => format!("≤ {floor} ×, aim ≤ {aim}"),
            AtMost(floor, aim) => format!("≤ {floor}, aim ≤ {aim}"),
            AtLeast(floor, aim) => format!("≥ {floor}, aim ≥ {aim}"),
            Told => String::new(),
        }
    }
}

/// The lines for which there are figures, each with what `each` makes of it.
fn lines<T>(
    rounds: &[Round],
    mut each: impl FnMut(&Line, Vec<f64>, Vec<f64>, Vec<f64>) -> Option<T>,
) -> Vec<T> {
    let mut made = Vec::new();
    for line in LINES {
        let ours: Vec<f64> =
            rounds.iter().filter_map(|round| figure(&round.luqiao, line.ours)).collect();
        let theirs = |round: &Round| line.etcds.and_then(|place| figure(&round.etcd, place));
        let etcds: Vec<f64> = rounds.iter().filter_map(theirs).collect();
        let ratios = rounds
            .iter()
            .filter_map(|round| {
                let (ours, theirs) = (figure(&round.luqiao, line.ours)?, theirs(round)?);
                (theirs > 0.0).then(|| ours / theirs)
            })
            .collect();
        made.extend(each(line, ours, etcds, ratios));
    }
    made
}

/// The table in Markdown: medians, with least and greatest in parentheses.
pub fn table(rounds: &[Round]) -> String {
    let mut text = String::from(
        "| row | Luqiao | etcd | ratio within a round | asked | |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for row in lines(rounds, |line, ours, etcds, ratios| {
        let ours = spread(ours)?;
        let ratio = spread(ratios);
        let judged = line.bound.judge(ours.0, ratio.map(|(middle, ..)| middle));
        let unit = line.unit;
        let with_unit = |found: Option<(f64, f64, f64)>| {
            found.map_or_else(|| "–".to_owned(), |found| format!("{} {unit}", told(found)))
        };
        Some(format!(
            "| {} | {} | {} | {} | {} | {judged} |\n",
            line.name,
            with_unit(Some(ours)),
            with_unit(spread(etcds)),
            ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{} ×", told(ratio))),
            line.bound.asked(),
        ))
    }) {
        let _ = write!(text, "{row}");
    }
    text
}

/// The same for the record.
pub fn summary(rounds: &[Round]) -> Value {
    let rows = lines(rounds, |line, ours, etcds, ratios| {
        let ours = spread(ours)?;
        let ratio = spread(ratios);
        let values = |found: Option<(f64, f64, f64)>| {
            found
                .map(|(median, least, most)| json!({ "median": median, "min": least, "max": most }))
        };
        Some(json!({
            "row": line.name,
            "key": line.ours.0,
            "figure": line.ours.1,
            "unit": line.unit,
            "luqiao": values(Some(ours)),
            "etcd": values(spread(etcds)),
            "ratio": values(ratio),
            "asked": line.bound.asked(),
            "judged": line.bound.judge(ours.0, ratio.map(|(middle, ..)| middle)),
        }))
    });
    Value::Array(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(ours: f64, etcds: f64) -> Round {
        let figures =
            |rate: f64| Figures::from([("core_64".to_owned(), json!({ RATE: rate, P99: 3.0 }))]);
        Round { luqiao: figures(ours), etcd: figures(etcds) }
    }

    #[test]
    fn ratios_are_paired_within_a_round_before_the_median_is_taken() {
        // The machine was half as fast in the second round; the ratios do not see it.
        let rounds = [round(300.0, 100.0), round(150.0, 50.0), round(200.0, 100.0)];
        let summary = summary(&rounds);
        assert_eq!(summary[0]["ratio"], json!({ "median": 3.0, "min": 2.0, "max": 3.0 }));
        assert_eq!(summary[0]["judged"], "aim");
        assert_eq!(summary[1]["judged"], "aim");
    }

    #[test]
    fn a_missed_floor_is_told() {
        let table = table(&[round(100.0, 100.0)]);
        assert!(table.contains("MISSED"), "{table}");
    }
}
