use std::net::TcpStream;

use serverlink::Router;

fn hand_on(connecter: &Router, engine: &Router, stream: TcpStream) {
    let _registered = connecter.adopt(stream);
    let _again = engine.adopt(stream);
}

fn main() {}
