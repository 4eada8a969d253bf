//! `songda top`: a live view of the lanes and the workers. It reads PostgreSQL and Redis once a second. It only counts
//! jobs and shows nothing of their content.

mod board;
mod draw;

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::Rect;
use songda::config::{DatabaseSettings, RedisSettings};
use songda::domain::kernel::clock::{Clock, Stopwatch};
use songda::env::Env;
use songda::queue::Queue;

use super::failure::{Failure, faults};
use board::{Board, Watch};

#[derive(Args)]
pub struct Top {
    /// Print one frame and exit. Without a terminal this is the default.
    #[arg(long)]
    once: bool,
}

/// The interval between two reads of the board.
const EVERY: Duration = Duration::from_secs(1);
/// The interval between two checks for a pressed key.
const KEYS: Duration = Duration::from_millis(50);
/// The width of a printed frame.
const WIDTH: u16 = 110;

/// Shows the board until the user quits.
pub async fn run(command: Top) -> Result<(), Failure> {
    let env = &mut Env::of_process();
    let (Some(database), Some(redis)) = (DatabaseSettings::read(env), RedisSettings::read(env)) else {
        return Err(faults(env.faults()));
    };
    let queue = Queue::new(&redis.address, &redis.prefix)?;
    let watch = Watch::new(database.url, queue, Clock::system());
    if command.once || !std::io::stdout().is_terminal() {
        return once(watch).await;
    }
    let mut terminal = ratatui::try_init()?;
    let ended = live(watch, &mut terminal).await;
    ratatui::restore();
    ended
}

async fn once(mut watch: Watch) -> Result<(), Failure> {
    let board = watch.look().await;
    println!("{}", plain(&board));
    match board.trouble {
        None => Ok(()),
        Some(trouble) => Err(trouble.into()),
    }
}

/// Draws a frame as text without colours.
fn plain(board: &Board) -> String {
    let area = Rect::new(0, 0, WIDTH, draw::height(board));
    let mut buffer = Buffer::empty(area);
    draw::draw(board, false, area, &mut buffer);
    let line = |y| (0..WIDTH).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect::<String>();
    let lines: Vec<String> = (0..area.height).map(|y| line(y).trim_end().to_owned()).collect();
    lines.join("\n").trim_end().to_owned()
}

async fn live(mut watch: Watch, terminal: &mut ratatui::DefaultTerminal) -> Result<(), Failure> {
    let mut board = watch.look().await;
    let mut since = Stopwatch::start();
    let mut paused = false;
    loop {
        terminal.draw(|frame| {
            let area = frame.area();
            draw::draw(&board, paused, area, frame.buffer_mut());
        })?;
        match wanted(|| !paused && since.elapsed() >= EVERY).await? {
            Wish::Quit => return Ok(()),
            Wish::Pause => paused = !paused,
            Wish::Redraw => {}
            Wish::Look => {
                since = Stopwatch::start();
                board = watch.look().await;
            }
        }
    }
}

/// Waits for a key, a change of the window's size, or the time of the next read.
async fn wanted(is_time: impl Fn() -> bool) -> Result<Wish, Failure> {
    loop {
        while event::poll(Duration::ZERO)? {
            if let Some(wish) = meant(&event::read()?) {
                return Ok(wish);
            }
        }
        if is_time() {
            return Ok(Wish::Look);
        }
        tokio::time::sleep(KEYS).await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Quit,
    Pause,
    Redraw,
    Look,
}

fn meant(event: &Event) -> Option<Wish> {
    if matches!(event, Event::Resize(..)) {
        return Some(Wish::Redraw);
    }
    let pressed = event.as_key_press_event()?;
    match pressed.code {
        KeyCode::Char('c') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Wish::Quit),
        KeyCode::Char('p') => Some(Wish::Pause),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn keys_do_what_the_foot_says() {
        let press = |code, modifiers| meant(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(press(KeyCode::Char('q'), KeyModifiers::NONE), Some(Wish::Quit));
        assert_eq!(press(KeyCode::Esc, KeyModifiers::NONE), Some(Wish::Quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(press(KeyCode::Char('p'), KeyModifiers::NONE), Some(Wish::Pause));
        assert_eq!(meant(&Event::Resize(80, 24)), Some(Wish::Redraw));
    }
}
