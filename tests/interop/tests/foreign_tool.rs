//! The tool as a program of another system, against libzmq of this one. `ci/windows interop` names the program: slk.exe,
//! under Wine, which shares this machine's loopback.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;

/// Longer than anything takes on the slowest machine; only a failing test waits so long.
const PATIENCE_SECONDS: i32 = 60;
const QUESTIONS: usize = 200;
const STREAM_MESSAGES: usize = 20_000;

#[test]
#[ignore = "SERVERLINK_SLK has to name the tool: see `ci/windows interop`"]
fn the_tool_asks_and_libzmq_answers() {
    let (replier, endpoint) = bound(zmq::REP);
    let tool = Tool::start(&["req", "--connect", &endpoint]).feed(lines(QUESTIONS));
    for number in 0..QUESTIONS {
        assert_eq!(receive(&replier), [line(number)]);
        replier.send_multipart([line(number)], 0).expect("libzmq answering");
    }
    assert!(tool.output() == lines(QUESTIONS), "the answers are not the questions");
}

#[test]
#[ignore = "SERVERLINK_SLK has to name the tool: see `ci/windows interop`"]
fn libzmq_asks_and_the_tool_answers() {
    let count = QUESTIONS.to_string();
    let mut tool = Tool::start(&["rep", "--bind", "tcp://127.0.0.1:*", "--count", &count]);
    let requester = connected(zmq::REQ, &tool.endpoint());
    for number in 0..QUESTIONS {
        requester.send_multipart([line(number)], 0).expect("libzmq asking");
        assert_eq!(receive(&requester), [line(number)]);
    }
    assert!(tool.output() == lines(QUESTIONS), "the tool saw other questions");
}

/// In parts and of many sizes, so that frames lie across the edges of every buffer.
#[test]
#[ignore = "SERVERLINK_SLK has to name the tool: see `ci/windows interop`"]
fn a_stream_of_the_tool_arrives_whole_and_in_order() {
    let (puller, endpoint) = bound(zmq::PULL);
    let tool = Tool::start(&["push", "--connect", &endpoint, "--split", " "]).feed(lines(STREAM_MESSAGES));
    for number in 0..STREAM_MESSAGES {
        assert!(receive(&puller).join(&b' ') == line(number), "message {number} is another");
    }
    assert_eq!(tool.output(), b"");
}

#[test]
#[ignore = "SERVERLINK_SLK has to name the tool: see `ci/windows interop`"]
fn a_stream_of_libzmq_arrives_whole_and_in_order() {
    let count = STREAM_MESSAGES.to_string();
    let mut tool = Tool::start(&["pull", "--bind", "tcp://127.0.0.1:*", "--count", &count, "--join", " "]);
    let pusher = connected(zmq::PUSH, &tool.endpoint());
    let sender = thread::spawn(move || {
        for number in 0..STREAM_MESSAGES {
            let line = line(number);
            pusher.send_multipart(line.split(|byte| *byte == b' '), 0).expect("libzmq sending");
        }
        pusher
    });
    assert!(tool.output() == lines(STREAM_MESSAGES), "the stream changed on its way");
    sender.join().expect("the sender was done");
}

/// A number, and words behind it.
fn line(number: usize) -> Vec<u8> {
    format!("{number} {}", "word ".repeat(number % 97)).into_bytes()
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| [line(number), b"\n".to_vec()].concat()).collect()
}

fn bound(socket_type: zmq::SocketType) -> (zmq::Socket, String) {
    let socket = open(socket_type);
    socket.bind("tcp://127.0.0.1:*").expect("libzmq binding");
    let endpoint = socket.get_last_endpoint().expect("bound").expect("endpoints are text");
    (socket, endpoint)
}

fn connected(socket_type: zmq::SocketType, endpoint: &str) -> zmq::Socket {
    let socket = open(socket_type);
    socket.connect(endpoint).expect("libzmq connecting");
    socket
}

fn open(socket_type: zmq::SocketType) -> zmq::Socket {
    let socket = zmq::Context::new().socket(socket_type).expect("a libzmq socket");
    socket.set_linger(0).expect("a valid option");
    socket.set_sndtimeo(PATIENCE_SECONDS * 1000).expect("a valid option");
    socket.set_rcvtimeo(PATIENCE_SECONDS * 1000).expect("a valid option");
    socket
}

fn receive(socket: &zmq::Socket) -> Vec<Vec<u8>> {
    socket.recv_multipart(0).expect("libzmq receiving")
}

/// The running tool. Killed if the test ends before it does.
struct Tool {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Tool {
    fn start(words: &[&str]) -> Tool {
        let program = env::var_os("SERVERLINK_SLK").expect("SERVERLINK_SLK names the tool's program");
        let mut child = Command::new(&program)
            .args(words)
            .args(["--timeout", &PATIENCE_SECONDS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("starting {}: {why}", program.display()));
        let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        Tool { child, stderr }
    }

    /// Where it listens, as it says itself.
    fn endpoint(&mut self) -> String {
        let mut said = String::new();
        loop {
            let before = said.len();
            let read = self.stderr.read_line(&mut said).expect("standard error is text");
            assert!(read > 0, "it ended before it listened: {said}");
            if let Some((_, endpoint)) = said[before..].split_once("listening on ") {
                return endpoint.trim().to_owned();
            }
        }
    }

    /// Writes to its standard input and closes it: on a thread, because that may be more than a pipe holds.
    fn feed(mut self, bytes: Vec<u8>) -> Tool {
        let mut stdin = self.child.stdin.take().expect("standard input is piped");
        // A tool that ends early has said why, and `output` shows it.
        thread::spawn(move || stdin.write_all(&bytes));
        self
    }

    /// Everything it wrote, once it has ended well.
    fn output(mut self) -> Vec<u8> {
        let (mut output, mut said) = (Vec::new(), String::new());
        let mut stdout = self.child.stdout.take().expect("standard output is piped");
        stdout.read_to_end(&mut output).expect("its output can be read");
        self.stderr.read_to_string(&mut said).expect("standard error is text");
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "it ended with {status}: {said}");
        output
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
