//! Draws the board of `songda top`. Colours add nothing that the text does not say.

use chrono::SecondsFormat;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Row, Table, Widget};
use songda::queue::heartbeat::Heartbeat;

use super::board::{Board, LaneBoard, MOST};

/// The number of lines of the terminal that the whole board needs.
pub fn height(board: &Board) -> u16 {
    let lines = board.lanes.len() + board.workers.len() + 8;
    u16::try_from(lines).unwrap_or(u16::MAX)
}

/// Draws the head, the lanes, the workers and the foot.
pub fn draw(board: &Board, paused: bool, area: Rect, buffer: &mut Buffer) {
    let lanes = u16::try_from(board.lanes.len() + 2).unwrap_or(u16::MAX);
    let parts = [Constraint::Length(2), Constraint::Length(lanes), Constraint::Min(2), Constraint::Length(1)];
    let [head, middle, below, foot] = Layout::vertical(parts).areas(area);
    draw_head(board, paused, head, buffer);
    Widget::render(lane_table(&board.lanes), middle, buffer);
    Widget::render(worker_table(board), below, buffer);
    Line::from(" q quits   p pauses").dim().render(foot, buffer);
}

fn draw_head(board: &Board, paused: bool, area: Rect, buffer: &mut Buffer) {
    let time = board.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let sum = |count: fn(&LaneBoard) -> i64| board.lanes.iter().map(count).sum::<i64>();
    let words = format!(
        " songda  {time}  workers {}  due {}  running {}  dead {}",
        board.workers.len(),
        sum(|lane| lane.standing.due),
        sum(|lane| lane.standing.running),
        sum(|lane| lane.standing.dead)
    );
    Line::from(words).bold().render(area, buffer);
    let note = match (&board.trouble, paused) {
        (Some(trouble), _) => Span::from(trouble.as_str()).fg(Color::Red),
        (None, true) => Span::from("paused").fg(Color::Yellow),
        (None, false) => return,
    };
    Line::from(note).alignment(Alignment::Right).render(area, buffer);
}

const LANE_COLUMNS: [(&str, u16); 9] = [
    (" lane", 22),
    ("due", 8),
    ("later", 8),
    ("running", 8),
    ("dead", 8),
    ("oldest", 9),
    ("per second", 11),
    ("slots", 11),
    ("breaker", 15),
];

fn lane_table(lanes: &[LaneBoard]) -> Table<'_> {
    let rows: Vec<Row<'_>> = lanes.iter().map(lane_row).collect();
    table(&LANE_COLUMNS, rows)
}

fn lane_row(lane: &LaneBoard) -> Row<'_> {
    let standing = &lane.standing;
    let (busy, slots) = lane.slots();
    let breaker = match (lane.held_back(), lane.crews.len()) {
        (_, 0) => "no worker".to_owned(),
        (0, _) => "closed".to_owned(),
        (open, all) => format!("open at {open}/{all}"),
    };
    let held = lane.held_back() > 0 || lane.crews.is_empty();
    Row::new([
        Cell::from(format!(" {}", standing.lane)),
        right(count(standing.due)),
        right(count(standing.later)),
        right(count(standing.running)),
        right(count(standing.dead)).style(marked(standing.dead > 0, Color::Red)),
        right(standing.oldest_due.map_or_else(|| "-".to_owned(), age)),
        right(format!("{:.1}", lane.per_second())),
        right(format!("{busy}/{slots}")),
        right(breaker).style(marked(held, Color::Yellow)),
    ])
}

const WORKER_COLUMNS: [(&str, u16); 4] = [(" worker", 46), ("lanes", 8), ("slots", 11), ("per second", 11)];

fn worker_table(board: &Board) -> Table<'_> {
    let rows: Vec<Row<'_>> = board.workers.iter().map(|(name, worker)| worker_row(name, worker)).collect();
    table(&WORKER_COLUMNS, rows)
}

fn worker_row<'a>(name: &'a str, worker: &Heartbeat) -> Row<'a> {
    let busy: usize = worker.lanes.iter().map(|lane| lane.busy).sum();
    let slots: usize = worker.lanes.iter().map(|lane| lane.slots).sum();
    let per_second = worker.lanes.iter().fold(0.0, |sum, lane| sum + lane.per_second);
    Row::new([
        Cell::from(format!(" {name}")),
        right(worker.lanes.len().to_string()),
        right(format!("{busy}/{slots}")),
        right(format!("{per_second:.1}")),
    ])
}

fn table<'a>(columns: &[(&'static str, u16)], rows: Vec<Row<'a>>) -> Table<'a> {
    let head = columns.iter().enumerate().map(|(at, (name, _))| match at {
        0 => Cell::from(*name),
        _ => right((*name).to_owned()),
    });
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    Table::new(rows, widths).header(Row::new(head).style(Style::new().reversed()))
}

fn right(text: String) -> Cell<'static> {
    Cell::from(Text::from(text).alignment(Alignment::Right))
}

fn marked(is_so: bool, colour: Color) -> Style {
    if is_so { Style::new().fg(colour) } else { Style::new() }
}

/// Formats a count. A count of [`MOST`] is a lower bound, so it gets a `+`.
fn count(count: i64) -> String {
    if count < MOST { count.to_string() } else { format!("{MOST}+") }
}

/// Formats an age in seconds, minutes, hours or days, depending on its size.
fn age(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use songda::queue::heartbeat::LaneHeartbeat;
    use songda::store::jobs::LaneCounts;

    use super::*;

    fn crew(lane: &str, breaker: &str, busy: usize, per_second: f64) -> LaneHeartbeat {
        LaneHeartbeat { lane: lane.to_owned(), breaker: breaker.to_owned(), slots: 64, busy, per_second }
    }

    fn lane(standing: LaneCounts, crews: &[LaneHeartbeat]) -> LaneBoard {
        LaneBoard { standing, crews: crews.to_vec() }
    }

    fn board() -> Board {
        let calm =
            |name: &str| LaneCounts { lane: name.to_owned(), due: 0, later: 0, running: 0, dead: 0, oldest_due: None };
        let first = crew("push.wechat", "closed", 64, 512.3);
        let second = crew("push.wechat", "closed", 61, 498.4);
        let open = crew("courier.ems", "open", 0, 0.0);
        let closed = crew("courier.ems", "closed", 1, 0.2);
        let workers = [("17-a", vec![first.clone(), open.clone()]), ("18-b", vec![second.clone(), closed.clone()])];
        let busy = LaneCounts { due: 12_000, running: 125, oldest_due: Some(4.25), ..calm("push.wechat") };
        let stuck = LaneCounts { due: 40, later: 3, dead: 7, oldest_due: Some(5_400.0), ..calm("courier.ems") };
        let unserved = LaneCounts { later: 1, ..calm("courier.sf") };
        Board {
            at: "2026-01-02T04:00:00Z".parse().unwrap(),
            lanes: vec![lane(busy, &[first, second]), lane(stuck, &[open, closed]), lane(unserved, &[])],
            workers: workers.map(|(name, lanes)| (name.to_owned(), Heartbeat { lanes })).into(),
            trouble: None,
        }
    }

    fn drawn(board: &Board, paused: bool) -> String {
        let mut terminal = Terminal::new(TestBackend::new(110, height(board))).unwrap();
        terminal.draw(|frame| draw(board, paused, frame.area(), frame.buffer_mut())).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_busy_board() {
        insta::assert_snapshot!(drawn(&board(), false));
    }

    #[test]
    fn trouble_and_a_pause_are_shown() {
        let empty = Board { lanes: Vec::new(), workers: BTreeMap::new(), ..board() };
        assert!(drawn(&empty, true).contains("paused"));
        let trouble = Board { trouble: Some("PostgreSQL does not answer".to_owned()), ..empty };
        assert!(drawn(&trouble, true).contains("PostgreSQL does not answer"));
    }

    #[test]
    fn an_age_is_shown_in_a_fitting_unit() {
        assert_eq!([0.04, 119.0, 121.0, 7_300.0, 200_000.0].map(age), ["0.0 s", "119.0 s", "2 min", "2 h", "2 d"]);
    }
}
