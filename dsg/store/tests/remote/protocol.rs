//! The two sides say what they speak.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use dsg_store::error::{Code, Error, Result};
use dsg_store::remote::{Dial, Line, RemoteRepository, Role};

use crate::line::{World, message};

/// Answers with fixed bytes.
struct Says(Mutex<Vec<u8>>);

impl Dial for Says {
    fn dial(&self) -> Result<Line> {
        let (client, mut server) = UnixStream::pair().expect("a pair");
        let bytes = self.0.lock().expect("no panic").clone();
        std::thread::spawn(move || {
            let _ = message(&mut server, true);
            let _ = server.write_all(&bytes);
        });
        let output = client.try_clone().expect("clones");
        Ok(Line { input: Box::new(client), output: Box::new(output), process: None })
    }

    fn place(&self) -> String {
        "server.example".to_owned()
    }
}

fn answer(bytes: &[u8]) -> Error {
    let says = Says(Mutex::new(bytes.to_vec()));
    RemoteRepository::open(&says, "p").err().expect("no repository")
}

fn hello(low: u16, high: u16, program: &str) -> Vec<u8> {
    let mut bytes = b"dsg\xffwire".to_vec();
    bytes.extend_from_slice(&low.to_le_bytes());
    bytes.extend_from_slice(&high.to_le_bytes());
    let length = u32::try_from(program.len() + 1).expect("short");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(u8::try_from(program.len()).expect("short"));
    bytes.extend_from_slice(program.as_bytes());
    bytes
}

#[test]
fn an_older_and_a_newer_server_are_told_apart() {
    let newer = answer(&hello(7, 9, "dsg 4.0.0"));
    assert_eq!(newer.code, Code::Protocol);
    assert!(newer.next.expect("advice").contains("on this machine"));
    let older = answer(&hello(0, 0, "dsg 0.0.1"));
    assert!(older.to_string().contains("dsg 0.0.1"), "{older}");
    assert!(older.next.expect("advice").contains("on server.example"));
}

#[test]
fn a_login_that_prints_a_greeting_is_recognized() {
    let error = answer(b"Welcome to the server!\n");
    assert_eq!(error.code, Code::RemoteProgram);
    assert!(error.to_string().contains("Welcome"), "{error}");
}

#[test]
fn a_server_that_hangs_up_or_speaks_nonsense_is_an_error_with_advice() {
    let own = hello(1, 1, "dsg");
    for more in [
        &b""[..],
        b"\x05\0\0\0",
        b"\x02\0\0\0\0\0\0\0\xff\xff",
        &[0xff; 64],
        b"\x01\0\0\0\0\0\0\0\x14",
    ] {
        let error = answer(&[&own[..], more].concat());
        assert!(matches!(error.code, Code::Connection | Code::Protocol), "{error:?}");
        assert!(error.next.is_some(), "{error:?}");
    }
}

#[test]
fn a_client_of_another_version_gets_a_hello_and_nothing_else() {
    let world = World::new();
    let line = world.wire("alice", Role::Writer).dial().expect("dials");
    let (mut input, mut output) = (line.input, line.output);
    output.write_all(&hello(8, 9, "dsg 5")).expect("writes");
    let mut all = Vec::new();
    input.read_to_end(&mut all).expect("reads");
    let mut rest = &all[..];
    assert!(message(&mut rest, true).is_some() && rest.is_empty(), "{all:?}");
}
