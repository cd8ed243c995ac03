//! A line between two programs of this machine that is slow, uneven, or breaks.
//!
//! The kernel can do the same for a whole device (`tc netem`), but many kernels come without it.

#![expect(clippy::disallowed_methods, reason = "a line has a time of its own")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// What was read at once, and how many of those may be on their way in one direction.
const PIECE_BYTES: usize = 16 * 1024;
const PIECES_MAX: usize = 4096;

/// What happens to bytes on their way. By default nothing does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Each byte arrives so much later.
    pub delay: Duration,
    /// No more than this gets through in a second, in each direction.
    pub bytes_per_second: Option<u64>,
    /// After so many bytes nothing moves for so long, again and again: a packet was lost and had to be
    /// asked for.
    pub loses: Option<(u64, Duration)>,
    /// After so many bytes in both directions the line breaks, and stays broken.
    pub breaks_after: Option<u64>,
}

/// A relay that listens until it is dropped.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    ended: Arc<AtomicBool>,
    passed: Arc<AtomicU64>,
}

impl Relay {
    /// One that passes on to `target`.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn new(target: SocketAddr, weather: Weather) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let (ended, passed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let relay = Self { port, ended: Arc::clone(&ended), passed: Arc::clone(&passed) };
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(target)) else {
                    continue;
                };
                let line = Line { client, server, weather, passed: Arc::clone(&passed) };
                let _ = line.carry();
            }
        });
        Ok(relay)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes came by, in both directions together.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // It waits for somebody to come.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection that is passed on.
struct Line {
    client: TcpStream,
    server: TcpStream,
    weather: Weather,
    passed: Arc<AtomicU64>,
}

/// Bytes that are due at a moment.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
}

impl Line {
    fn carry(self) -> io::Result<()> {
        for stream in [&self.client, &self.server] {
            stream.set_nodelay(true)?;
        }
        for (from, to) in [(&self.client, &self.server), (&self.server, &self.client)] {
            let (send, receive) = sync_channel(PIECES_MAX);
            let (source, target) = (from.try_clone()?, to.try_clone()?);
            let (weather, passed) = (self.weather, Arc::clone(&self.passed));
            std::thread::spawn(move || take(source, &send, weather, &passed));
            std::thread::spawn(move || give(target, &receive));
        }
        Ok(())
    }
}

/// Reads until there is no more, and says of each piece when it is due.
fn take(mut source: TcpStream, send: &SyncSender<Piece>, weather: Weather, passed: &AtomicU64) {
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut free, mut since_loss) = (Instant::now(), 0);
    while let Ok(read @ 1..) = source.read(&mut buffer) {
        let mut bytes = buffer[..read].to_vec();
        let before = passed.fetch_add(read as u64, Ordering::SeqCst);
        let broken = weather.breaks_after.is_some_and(|most| before + read as u64 > most);
        if let (true, Some(most)) = (broken, weather.breaks_after) {
            bytes.truncate(usize::try_from(most.saturating_sub(before)).unwrap_or(0));
        }
        free = free.max(Instant::now());
        if let Some(rate) = weather.bytes_per_second {
            free += Duration::from_secs_f64(bytes.len() as f64 / rate as f64);
        }
        if let Some((each, pause)) = weather.loses {
            since_loss += bytes.len() as u64;
            if since_loss >= each {
                since_loss = 0;
                free += pause;
            }
        }
        if send.send(Piece { due: free + weather.delay, bytes }).is_err() || broken {
            break;
        }
    }
    if weather.breaks_after.is_some_and(|most| passed.load(Ordering::SeqCst) > most) {
        let _ = source.shutdown(Shutdown::Both);
    }
}

/// Writes each piece when it is due. After the last one the other side learns that there is no more.
fn give(mut target: TcpStream, receive: &Receiver<Piece>) {
    for piece in receive {
        std::thread::sleep(piece.due.saturating_duration_since(Instant::now()));
        if target.write_all(&piece.bytes).is_err() {
            break;
        }
    }
    let _ = target.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes back from a server that repeats what it is told, by way of a relay.
    fn repeated(weather: Weather, bytes: &[u8]) -> (Vec<u8>, u64) {
        let server = TcpListener::bind(("127.0.0.1", 0)).expect("listens");
        let address = server.local_addr().expect("an address");
        let echo = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().expect("somebody");
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all);
            let _ = stream.write_all(&all);
        });
        let relay = Relay::new(address, weather).expect("a relay");
        let mut client = TcpStream::connect(("127.0.0.1", relay.port())).expect("connects");
        let _ = client.write_all(bytes);
        let _ = client.shutdown(Shutdown::Write);
        let mut back = Vec::new();
        let _ = client.read_to_end(&mut back);
        echo.join().expect("ends");
        (back, relay.passed())
    }

    #[test]
    fn in_any_weather_the_bytes_are_the_same() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let slow = Weather {
            delay: Duration::from_millis(3),
            bytes_per_second: Some(5_000_000),
            loses: Some((20_000, Duration::from_millis(2))),
            breaks_after: None,
        };
        for weather in [Weather::default(), slow] {
            assert_eq!(repeated(weather, &bytes), (bytes.clone(), 200_000));
        }
    }

    #[test]
    fn a_broken_line_lets_nothing_more_through() {
        let weather = Weather { breaks_after: Some(100), ..Weather::default() };
        let (back, _) = repeated(weather, &[7; 50_000]);
        assert!(back.len() <= 100, "{}", back.len());
    }
}
