use serverlink_driver::{Batch, Stream};

fn write_and_look(stream: &Stream, batch: Batch) -> usize {
    let _written = stream.write(batch);
    batch.remaining_bytes()
}

fn main() {}
