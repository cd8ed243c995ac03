//! Numbers over time as a drawing (SVG without `style` attributes, which the site's policy forbids).
//!
//! A line is told apart by its colour, its dashes and the name at its end. Each year is a link to the
//! entities up to its end; the same numbers stand in a table below the drawing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markup::Markup;
use super::table::grouped;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 34.0;
const LABEL_DISTANCE: f64 = 16.0;

/// A month, counted from year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(i32);

impl Month {
    /// The month of a date such as `2015-03-01`.
    pub(crate) fn of(date: &str) -> Option<Self> {
        let mut parts = date.split('-');
        let year: i32 = parts.next()?.parse().ok()?;
        let month: i32 = parts.next()?.parse().ok()?;
        ((0..=9999).contains(&year) && (1..=12).contains(&month))
            .then(|| Self(year * 12 + month - 1))
    }

    fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    fn last_of(year: i32) -> Self {
        Self(year * 12 + 11)
    }
}

/// One line: how many there were in all, at each month in which that changed.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) totals: BTreeMap<i32, i64>,
}

impl Series {
    /// A line of these months and totals.
    pub(crate) fn new(
        name: impl Into<String>,
        totals: impl IntoIterator<Item = (Month, i64)>,
    ) -> Self {
        Self {
            name: name.into(),
            totals: totals.into_iter().map(|(month, total)| (month.0, total)).collect(),
        }
    }

    /// How many there are at its end.
    pub(crate) fn end(&self) -> i64 {
        self.totals.values().next_back().copied().unwrap_or(0)
    }

    /// How many there were at the end of a month: a total stays until the next one.
    fn at(&self, month: Month) -> i64 {
        self.totals.range(..=month.0).next_back().map_or(0, |(_, total)| *total)
    }
}

/// Where a year, or the number of one line in it, leads.
type Address = Box<dyn Fn(i32, Option<&str>) -> String + Send + Sync>;

/// The drawing.
pub(crate) struct Chart {
    pub(crate) title: String,
    series: Vec<Series>,
    first: Month,
    last: Month,
    most: i64,
    address: Address,
}

impl Chart {
    /// A chart whose years and numbers lead to `address(year, name of the line)`.
    pub(crate) fn new(
        title: impl Into<String>,
        series: Vec<Series>,
        address: impl Fn(i32, Option<&str>) -> String + Send + Sync + 'static,
    ) -> Self {
        let months = || series.iter().flat_map(|series| series.totals.keys().copied());
        let (first, last) = (months().min().unwrap_or(0), months().max().unwrap_or(0));
        let most = series.iter().map(|series| series.at(Month(last))).max().unwrap_or(0).max(1);
        Self {
            title: title.into(),
            first: Month(first.div_euclid(12) * 12),
            last: Month(last.max(first + 1)),
            most,
            series,
            address: Box::new(address),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.totals.is_empty())
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.series.iter().map(|series| series.name.as_str()).collect()
    }

    /// For each year the numbers at its end, each with its link.
    pub(crate) fn years(&self) -> Vec<(i32, Vec<Markup>)> {
        let numbers = |year: i32| {
            let number = |series: &Series| {
                let total = series.at(Month::last_of(year));
                if total == 0 {
                    return Markup::constant("0");
                }
                Markup::constant("<a rel=\"nofollow\" href=\"")
                    .then_text(&(self.address)(year, Some(&series.name)))
                    .then("\">")
                    .then_text(&grouped(total.unsigned_abs()))
                    .then("</a>")
            };
            (year, self.series.iter().map(number).collect())
        };
        (self.first.year()..=self.last.year()).rev().map(numbers).collect()
    }

    /// Which line is which.
    pub(crate) fn key(&self) -> Markup {
        let mut key = Markup::constant("<ul class=\"key\">");
        for (position, series) in self.series.iter().enumerate() {
            key = key
                .then("<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\"><line x1=\"0\" y1=\"6\" x2=\"28\" y2=\"6\" class=\"")
                .then(class(&series.name, position))
                .then(" ")
                .then(dashes(position))
                .then("\"/></svg> ")
                .then_text(&series.name)
                .then("</li>");
        }
        key.then("</ul>")
    }

    fn x(&self, month: Month) -> f64 {
        let span = f64::from((self.last.0 - self.first.0).max(1));
        LEFT + (WIDTH - LEFT - RIGHT) * f64::from(month.0 - self.first.0) / span
    }

    fn y(&self, number: i64, top: i64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (number as f64 / top as f64)
    }

    pub(crate) fn drawing(&self) -> Markup {
        let step = tick(self.most);
        let top = (self.most + step - 1) / step * step;
        let mut drawing = Markup::constant(
            "<svg class=\"chart\" viewBox=\"0 0 960 420\" role=\"group\" aria-label=\"",
        )
        .then_text(&self.title)
        .then("\">");
        drawing = drawing.append(&self.grid(step, top)).append(&self.years_as_links());
        for (position, series) in self.series.iter().enumerate() {
            drawing = drawing
                .then("<path class=\"series ")
                .then(class(&series.name, position))
                .then(" ")
                .then(dashes(position))
                .then("\" d=\"")
                .then_text(&self.path(series, top))
                .then("\"/>");
        }
        drawing.append(&self.labels(top)).then("</svg>")
    }

    fn grid(&self, step: i64, top: i64) -> Markup {
        let mut grid = Markup::constant("<g aria-hidden=\"true\">");
        let mut number = 0;
        while number <= top {
            let y = self.y(number, top);
            grid = grid.then("<line ").then(if number == 0 {
                "class=\"axis\""
            } else {
                "class=\"grid\""
            });
            grid = grid
                .then_text_attributes(&format!(
                    "x1={LEFT:.0} x2={:.0} y1={y:.1} y2={y:.1}",
                    WIDTH - RIGHT
                ))
                .then("/>");
            grid = grid
                .then("<text text-anchor=\"end\" ")
                .then_text_attributes(&format!("x={:.0} y={:.1}", LEFT - 8.0, y + 4.0))
                .then(">");
            grid = grid.then_text(&grouped(number.unsigned_abs())).then("</text>");
            number += step;
        }
        let years = self.first.year()..=self.last.year();
        let every = (years.clone().count() / 12 + 1).max(1);
        for year in years.step_by(every) {
            let x = self.x(Month(year * 12));
            grid = grid
                .then("<text text-anchor=\"middle\" ")
                .then_text_attributes(&format!("x={x:.1} y={:.0}", HEIGHT - 12.0))
                .then(">");
            grid = grid.then_text(&year.to_string()).then("</text>");
        }
        grid.then("</g>")
    }

    /// A band for each year, to be pointed at.
    fn years_as_links(&self) -> Markup {
        let mut links = Markup::constant("");
        for year in self.first.year()..=self.last.year() {
            let (start, end) =
                (self.x(Month(year * 12)), self.x(Month::last_of(year).min(self.last)));
            let numbers: Vec<_> = self
                .series
                .iter()
                .map(|series| format!("{} {}", series.name, series.at(Month::last_of(year))))
                .collect();
            let said = format!("Up to the end of {year}: {}", numbers.join(", "));
            links = links
                .then("<a rel=\"nofollow\" href=\"")
                .then_text(&(self.address)(year, None))
                .then("\" aria-label=\"")
                .then_text(&said)
                .then("\"><title>")
                .then_text(&said)
                .then("</title><rect class=\"hit\" ")
                .then_text_attributes(&format!(
                    "x={start:.1} y={TOP:.0} width={:.1} height={:.0}",
                    (end - start).max(1.0),
                    HEIGHT - TOP - BOTTOM
                ))
                .then("/></a>");
        }
        links
    }

    /// Steps: a total stays until the next entry.
    fn path(&self, series: &Series, top: i64) -> String {
        let mut path = String::new();
        for (&month, &total) in &series.totals {
            let (x, y) = (self.x(Month(month)), self.y(total, top));
            let written = if path.is_empty() {
                write!(path, "M{x:.1} {:.1}V{y:.1}", self.y(0, top))
            } else {
                write!(path, "H{x:.1}V{y:.1}")
            };
            debug_assert!(written.is_ok(), "writing to a String");
        }
        if !path.is_empty() {
            let written = write!(path, "H{:.1}", self.x(self.last));
            debug_assert!(written.is_ok(), "writing to a String");
        }
        path
    }

    /// Name and number at the end of each line, moved apart where they would touch.
    fn labels(&self, top: i64) -> Markup {
        let mut ends: Vec<(f64, &Series)> =
            self.series.iter().map(|series| (self.y(series.at(self.last), top), series)).collect();
        ends.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut below = HEIGHT - BOTTOM + LABEL_DISTANCE;
        for (y, _) in &mut ends {
            *y = y.min(below - LABEL_DISTANCE);
            below = *y;
        }
        let mut labels = Markup::constant("<g aria-hidden=\"true\">");
        for (y, series) in ends {
            labels = labels
                .then("<text ")
                .then_text_attributes(&format!("x={:.0} y={:.1}", WIDTH - RIGHT + 8.0, y + 4.0))
                .then(">")
                .then_text(&format!(
                    "{} {}",
                    series.name,
                    grouped(series.at(self.last).unsigned_abs())
                ))
                .then("</text>");
        }
        labels.then("</g>")
    }
}

/// The distance between two marks of the axis: 1, 2 or 5 times a power of ten, for about five marks.
fn tick(most: i64) -> i64 {
    let mut power: i64 = 1;
    loop {
        for factor in [1, 2, 5] {
            if most <= power.saturating_mul(factor * 5) {
                return power * factor;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn class(name: &str, position: usize) -> &'static str {
    match name {
        "Definitive" => "s-definitive",
        "Moderate" => "s-moderate",
        "Limited" => "s-limited",
        "Refuted" => "s-refuted",
        "not applicable" => "s-not-applicable",
        "Autosomal dominant" => "s-autosomal-dominant",
        "Autosomal recessive" => "s-autosomal-recessive",
        "X-linked" => "s-x-linked",
        "Other" => "s-other",
        _ => ["s-more-1", "s-more-2", "s-more-3", "s-more-4", "s-more-5"][position % 5],
    }
}

fn dashes(position: usize) -> &'static str {
    ["", "dash", "dot"][position % 3]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(date: &str) -> Month {
        Month::of(date).expect("a date")
    }

    fn chart() -> Chart {
        let definitive =
            Series::new("Definitive", [(month("2011-03-01"), 4), (month("2013-01-01"), 1_200)]);
        let limited = Series::new("Limited", [(month("2012-05-01"), 3)]);
        Chart::new("Entities", vec![definitive, limited], |year, name| {
            format!("/Entities?year={year}&name={}", name.unwrap_or(""))
        })
    }

    #[test]
    fn a_total_stays_until_the_next_entry() {
        let years = chart().years();
        let (year, numbers) = &years[1];
        assert_eq!(*year, 2012);
        assert!(
            numbers[0].to_string().contains(">4<") && numbers[1].to_string().contains(">3<"),
            "{numbers:?}"
        );
        assert_eq!(years[2].1[1].to_string(), "0");
    }

    #[test]
    fn a_drawing_has_no_style_and_escapes_what_it_shows() {
        let chart =
            Chart::new("A <b>", vec![Series::new("<x>", [(month("2011-03-01"), 4)])], |_, _| {
                "/?a=1&b=2".to_owned()
            });
        let drawing = format!("{}{}", chart.drawing(), chart.key());
        assert!(
            !drawing.contains("style=") && !drawing.contains("<b>") && !drawing.contains("<x>"),
            "{drawing}"
        );
        assert!(drawing.contains("/?a=1&amp;b=2"), "{drawing}");
    }

    #[test]
    fn names_at_the_ends_do_not_touch() {
        let drawing = chart().drawing().to_string();
        let heights: Vec<f64> = drawing
            .split("<text x=\"778\" y=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().expect("a number").parse().expect("a number"))
            .collect();
        assert_eq!(heights.len(), 2);
        assert!((heights[0] - heights[1]).abs() >= LABEL_DISTANCE - 0.2, "{heights:?}");
    }

    #[test]
    fn marks_of_the_axis_are_round_numbers() {
        assert_eq!([tick(1), tick(7), tick(30), tick(1_900), tick(2_600)], [1, 2, 10, 500, 1_000]);
    }

    #[test]
    fn a_chart_without_entries_is_empty_and_can_be_drawn() {
        let chart = Chart::new("None", Vec::new(), |_, _| String::new());
        assert!(chart.is_empty());
        assert!(chart.drawing().to_string().ends_with("</svg>"));
    }

    #[test]
    fn what_is_no_date_is_no_month() {
        assert_eq!(
            [Month::of("x"), Month::of("2011-13-01"), Month::of("2011"), Month::of("")],
            [None; 4]
        );
    }
}
