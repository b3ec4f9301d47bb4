//! The report as JSON, for whoever compares runs.

use serde_json::{Map, Value, json};

use super::{Entry, Outcome, Report, Samples};

pub(super) fn render(report: &Report) -> String {
    let options = &report.options;
    let value = json!({
        "machine": report.machine.to_string(),
        "settings": {
            "runs": options.runs.max(1),
            "measure_seconds": options.measure.as_secs_f64(),
            "warm_up_seconds": options.warm_up.as_secs_f64(),
            "keep_awake": options.keep_awake,
        },
        "entries": report.entries().iter().map(entry).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn entry(entry: &Entry) -> Value {
    let figures: Map<String, Value> =
        entry.figures().iter().map(|(figure, values)| (figure.label().to_owned(), samples(values))).collect();
    let mut value = json!({
        "row": entry.row.to_string(),
        "peer": entry.peer.as_str(),
        "figures": figures,
    });
    match &entry.outcome {
        Outcome::Measured => {}
        Outcome::Absent(why) => value["absent"] = json!(why),
        Outcome::Failed(why) => value["failed"] = json!(why),
    }
    value
}

fn samples(samples: &Samples) -> Value {
    json!({
        "median": samples.median(),
        "min": samples.min(),
        "max": samples.max(),
        "samples": samples.values(),
    })
}
