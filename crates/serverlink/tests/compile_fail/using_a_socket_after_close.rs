use std::time::Duration;

use serverlink::Router;

fn send_after_close(router: Router) {
    let _left = router.close(Duration::ZERO);
    let _sent = router.send("too late");
}

fn main() {}
