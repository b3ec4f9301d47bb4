use serverlink::Publisher;

fn listen(publisher: &Publisher) {
    let _message = publisher.recv();
}

fn main() {}
