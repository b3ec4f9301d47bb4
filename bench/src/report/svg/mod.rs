//! The report as a picture: a panel for each family of rows, a group of bars for each row, a bar for each competitor, on a
//! logarithmic scale. Neutral on light and dark pages.

mod palette;
mod scale;

use std::fmt::Write;

use super::{Figure, Report, Samples};
use crate::{Peer, Row};
use palette::colour;
use scale::Scale;

const WIDTH: f64 = 1080.0;
const MARGIN: f64 = 12.0;
/// Room for the scale's numbers.
const LEFT: f64 = 64.0;
const LEGEND_HEIGHT: f64 = 58.0;
const PANEL_HEIGHT: f64 = 216.0;
const TITLE_HEIGHT: f64 = 30.0;
/// Room for the names of the groups.
const FOOT: f64 = 34.0;
const WIDEST_BAR: f64 = 26.0;
/// Colours that can be read on white and on black; systems that say what they prefer get more contrast.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#777}.title{font-weight:600;font-size:14px}.end{text-anchor:end}\
    .middle{text-anchor:middle}.grid{stroke:#888;stroke-opacity:.25}.range{stroke:#777;stroke-width:1.2}\
    @media(prefers-color-scheme:dark){text{fill:#bbb}.range{stroke:#ddd}}\
    @media(prefers-color-scheme:light){text{fill:#444}.range{stroke:#222}}";

/// One row of a panel, with what it has.
struct Group<'a> {
    name: String,
    bars: Vec<(Peer, &'a Samples)>,
}

/// One family of rows.
struct Panel<'a> {
    title: String,
    figure: Figure,
    groups: Vec<Group<'a>>,
}

pub(super) fn render(report: &Report) -> String {
    let panels: Vec<Panel<'_>> =
        report.families().into_iter().filter_map(|(family, rows)| panel(report, &family, &rows)).collect();
    let places = places(&panels);
    let bottom = places.last().map_or(LEGEND_HEIGHT, |place| place.top + PANEL_HEIGHT);
    let height = bottom + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\n<style>{STYLE}</style>\n"
    );
    draw_legend(&mut svg, report, &panels);
    for (panel, place) in panels.iter().zip(places) {
        draw_panel(&mut svg, panel, place);
    }
    svg + "</svg>\n"
}

/// Where a panel lies.
#[derive(Clone, Copy)]
struct Place {
    left: f64,
    top: f64,
    width: f64,
}

/// From top to bottom; of panels with one group two lie beside each other.
fn places(panels: &[Panel<'_>]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut top = LEGEND_HEIGHT;
    let mut is_half_free = false;
    for panel in panels {
        let is_narrow = panel.groups.len() == 1;
        let half = WIDTH / 2.0;
        if is_narrow && is_half_free {
            places.push(Place { left: half, top: top - PANEL_HEIGHT, width: half });
            is_half_free = false;
        } else {
            places.push(Place { left: 0.0, top, width: if is_narrow { half } else { WIDTH } });
            top += PANEL_HEIGHT;
            is_half_free = is_narrow;
        }
    }
    places
}

/// The first figure that the family's rows have; nothing if nobody was measured.
fn panel<'a>(report: &'a Report, family: &str, rows: &[Row]) -> Option<Panel<'a>> {
    let measured = rows.iter().flat_map(|row| report.entries_of(*row)).find(|entry| entry.has_figures())?;
    let figure = measured.figures()[0].0;
    let groups = rows
        .iter()
        .map(|row| Group {
            name: row.variant(),
            bars: report
                .options
                .peers
                .iter()
                .filter_map(|peer| Some((*peer, report.entry(*row, *peer)?.figure(figure)?)))
                .collect(),
        })
        .collect();
    Some(Panel { title: family.to_owned(), figure, groups })
}

fn draw_legend(svg: &mut String, report: &Report, panels: &[Panel<'_>]) {
    let [machine, _] = report.origin();
    text(svg, MARGIN, 18.0, "", &machine);
    let shown = |peer: &&Peer| {
        panels
            .iter()
            .flat_map(|panel| &panel.groups)
            .any(|group| group.bars.iter().any(|(known, _)| known == *peer))
    };
    let mut x = MARGIN;
    for peer in report.options.peers.iter().filter(shown) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"32\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\"/>",
            colour(*peer)
        );
        text(svg, x + 17.0, 42.5, "", peer.as_str());
        x += 34.0 + 7.0 * peer.as_str().len() as f64;
    }
}

fn draw_panel(svg: &mut String, panel: &Panel<'_>, place: Place) {
    let Place { left, top, width } = place;
    text(svg, left + MARGIN, top + 16.0, "title", &format!("{} ({})", panel.title, panel.figure.label()));
    let values = panel.groups.iter().flat_map(|group| &group.bars).map(|(_, samples)| samples);
    let values =
        values.flat_map(|samples| [samples.min(), samples.max()]).map(|value| panel.figure.in_unit(value));
    let (high, low) = (top + TITLE_HEIGHT, top + PANEL_HEIGHT - FOOT);
    let scale = Scale::over(values, high, low);
    let first = left + LEFT;
    for (value, y) in scale.lines() {
        let right = left + width - MARGIN;
        let _ =
            writeln!(svg, "<line class=\"grid\" x1=\"{first}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        text(svg, first - 6.0, y + 4.0, "end", &value);
    }
    let group_width = (width - LEFT - MARGIN) / panel.groups.len().max(1) as f64;
    for (index, group) in panel.groups.iter().enumerate() {
        let left = first + group_width * index as f64;
        text(svg, left + group_width / 2.0, low + 17.0, "middle", &group.name);
        draw_group(svg, group, panel.figure, &scale, left, group_width);
    }
}

fn draw_group(svg: &mut String, group: &Group<'_>, figure: Figure, scale: &Scale, left: f64, width: f64) {
    let count = group.bars.len().max(1) as f64;
    let bar = (width * 0.86 / count).min(WIDEST_BAR);
    let first = left + (width - bar * count) / 2.0;
    for (index, (peer, samples)) in group.bars.iter().enumerate() {
        let x = first + bar * index as f64;
        let [median, min, max] =
            [samples.median(), samples.min(), samples.max()].map(|value| scale.y(figure.in_unit(value)));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{median:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{}</title></rect>",
            (bar - 1.0).max(1.0),
            (scale.bottom() - median).max(0.5),
            colour(*peer),
            escaped(&format!("{peer}: {}", figure.shown(samples.median()))),
        );
        if min - max > 2.0 {
            let middle = x + (bar - 1.0) / 2.0;
            let _ = writeln!(
                svg,
                "<line class=\"range\" x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"{min:.1}\" y2=\"{max:.1}\"/>"
            );
        }
    }
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(svg, "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(words));
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
