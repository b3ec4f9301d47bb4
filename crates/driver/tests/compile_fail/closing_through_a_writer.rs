use serverlink_driver::Stream;

fn close_what_another_owns(stream: &Stream) {
    let writer = stream.writer();
    writer.close();
}

fn main() {}
