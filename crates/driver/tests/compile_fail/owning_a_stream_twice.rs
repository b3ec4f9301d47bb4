use serverlink_driver::Stream;

fn share(stream: Stream) -> [Stream; 2] {
    [stream.clone(), stream]
}

fn main() {}
