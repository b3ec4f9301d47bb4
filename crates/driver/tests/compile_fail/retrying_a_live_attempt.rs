use serverlink_driver::{Address, Remote, StreamOptions};

fn retry(remote: &Remote, address: &Address) -> std::io::Result<()> {
    let attempt = remote.connect(address, &StreamOptions::default())?;
    attempt.connect(address, &StreamOptions::default())?;
    remote.connect(&attempt, &StreamOptions::default())?;
    Ok(())
}

fn main() {}
