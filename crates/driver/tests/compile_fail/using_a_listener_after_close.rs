use serverlink_driver::Listener;

fn accept_after_close(listener: Listener) {
    listener.close();
    let _accepted = listener.accept();
}

fn main() {}
