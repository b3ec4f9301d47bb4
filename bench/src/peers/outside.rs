//! The program that plays the competitors which are packages of their own, so that this one builds without them.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::Error;

const NAME: &str = if cfg!(windows) { "serverlink-bench-peers.exe" } else { "serverlink-bench-peers" };
/// Names the program where it is neither beside this one nor can be built.
const VARIABLE: &str = "SERVERLINK_BENCH_PEERS";
const HOW_TO_GET: &str = "played by serverlink-bench-peers, which is neither beside this program nor named by \
    SERVERLINK_BENCH_PEERS; `cargo build --release --manifest-path bench/peers/Cargo.toml` in the source tree makes it";

/// The program, built now if it has to be. Looked for once.
pub(crate) fn program() -> Result<&'static Path, Error> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| named().or_else(beside_this).or_else(built))
        .as_deref()
        .ok_or_else(|| Error::Absent(HOW_TO_GET.to_owned()))
}

fn named() -> Option<PathBuf> {
    env::var_os(VARIABLE).map(PathBuf::from)
}

fn beside_this() -> Option<PathBuf> {
    let path = env::current_exe().ok()?.with_file_name(NAME);
    path.exists().then_some(path)
}

/// Cargo decides whether there is anything to do.
fn built() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
    if !manifest.exists() {
        return None;
    }
    let target = env::current_exe().ok()?.parent()?.parent()?.join("bench-peers");
    let built = Command::new("cargo")
        .args(["build", "--release", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let path = target.join("release").join(NAME);
    (built && path.exists()).then_some(path)
}
