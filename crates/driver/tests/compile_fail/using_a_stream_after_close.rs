use serverlink_driver::Stream;

fn read_after_close(stream: Stream) {
    stream.close();
    let _read = stream.read(&mut [0; 8]);
}

fn main() {}
