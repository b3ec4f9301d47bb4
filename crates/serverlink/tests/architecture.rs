//! Holds what the architecture promises and no compiler checks: which way dependencies point, that
//! the pure crates stay pure, and where `unsafe` may not live.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Every crate of the workspace, and which others its library may use.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("message", &[]),
    ("zmtp", &["message"]),
    ("patterns", &["message"]),
    ("driver", &[]),
    ("serverlink", &["message", "zmtp", "patterns", "driver"]),
    ("capi", &["serverlink", "driver"]),
    ("libzmq", &["capi"]),
    ("libserverlink", &["capi", "serverlink"]),
    ("slk", &["serverlink", "bench"]),
    ("bench", &["serverlink"]),
];

/// What a pure crate never names: clocks, I/O, threads, global randomness, randomly seeded maps.
const IMPURE: [&str; 17] = [
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
    "std::thread",
    "thread::",
    "std::net",
    "std::fs",
    "std::io",
    "std::os",
    "std::process",
    "std::env",
    "std::sync",
    "println!",
    "thread_local!",
    "RandomState",
    "fastrand",
];

/// The part of `message` that threads share: rings, chunks, what each of them owes, and what stands for `std::sync` in models.
const SHARED_PARTS_OF_MESSAGE: [&str; 6] =
    ["sync.rs", "ring.rs", "ring", "chunk.rs", "slice.rs", "returns.rs"];

const FORBID_UNSAFE: [&str; 4] = ["zmtp", "patterns", "serverlink", "slk"];

#[test]
fn dependencies_point_one_way() {
    for (name, allowed) in MAY_USE {
        let used = internal_dependencies(name, &["dependencies"]);
        let allowed: BTreeSet<String> = allowed.iter().copied().map(str::to_owned).collect();
        let stray: Vec<_> = used.difference(&allowed).collect();
        assert!(stray.is_empty(), "{name} must not use {stray:?}");
    }
}

/// The table above is complete: a new crate has to be given its place.
#[test]
fn every_crate_has_its_place() {
    let known: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut found = BTreeSet::from(["bench".to_owned()]);
    for entry in fs::read_dir(root().join("crates")).expect("the crates are here") {
        let entry = entry.expect("a readable directory");
        if entry.path().join("Cargo.toml").exists() {
            found.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    assert_eq!(found, known);
}

/// zmtp and patterns do not know each other, not even in their tests.
#[test]
fn the_pure_crates_do_not_know_each_other() {
    for (one, other) in [("zmtp", "patterns"), ("patterns", "zmtp")] {
        let used = internal_dependencies(one, &["dependencies", "dev-dependencies"]);
        assert!(!used.contains(other), "{one} uses {other}");
    }
}

#[test]
fn the_pure_crates_are_pure() {
    let mut offences = Vec::new();
    for name in ["zmtp", "patterns"] {
        offences.extend(impurities(&sources(name)));
    }
    let message: Vec<_> = sources("message").into_iter().filter(|path| !is_shared_part(path)).collect();
    offences.extend(impurities(&message));
    // Shared ownership needs reference counts, which nobody can see; what else is in `std::sync` can be seen.
    offences.retain(|offence| !offence.ends_with("std::sync::Arc"));
    assert!(offences.is_empty(), "in pure code:\n{}", offences.join("\n"));
}

#[test]
fn unsafe_is_forbidden_where_it_has_no_business() {
    for name in FORBID_UNSAFE {
        let source = crate_directory(name).join("src");
        let entry = [source.join("lib.rs"), source.join("main.rs")]
            .into_iter()
            .find(|path| path.exists())
            .expect("every crate has an entry");
        let text = fs::read_to_string(&entry).expect("a readable source");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{} does not forbid it", entry.display());
    }
}

#[test]
fn every_unsafe_block_is_explained() {
    let mut unexplained = Vec::new();
    for name in ["message", "driver", "capi", "libzmq", "libserverlink", "bench"] {
        for path in sources(name) {
            let text = fs::read_to_string(&path).expect("a readable source");
            let lines: Vec<&str> = text.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                let code = line.trim_start();
                let opens =
                    (code.contains("unsafe {") || code.starts_with("unsafe impl")) && !code.starts_with("//");
                let near = &lines[index.saturating_sub(8)..index];
                if opens && !near.iter().any(|line| line.contains("SAFETY")) {
                    unexplained.push(format!("{}:{}", path.display(), index + 1));
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "unsafe without a SAFETY remark:\n{}", unexplained.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn crate_directory(name: &str) -> PathBuf {
    let inside = root().join("crates").join(name);
    if inside.exists() { inside } else { root().join(name) }
}

/// Folder names of the workspace's crates in the given tables of a manifest.
fn internal_dependencies(name: &str, tables: &[&str]) -> BTreeSet<String> {
    let path = crate_directory(name).join("Cargo.toml");
    let manifest = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    tables_of(&manifest)
        .into_iter()
        .filter(|(table, _)| tables.iter().any(|wanted| table.rsplit('.').next() == Some(wanted)))
        .flat_map(|(_, keys)| keys)
        .filter_map(|key| folder_of(&key))
        .collect()
}

/// The keys of every table of a manifest. Reads as much of TOML as the manifests here use.
fn tables_of(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            current = name.to_owned();
        } else if let Some((key, _)) = line.split_once(['=', '.']) {
            tables.entry(current.clone()).or_default().push(key.trim().to_owned());
        }
    }
    tables
}

fn folder_of(package: &str) -> Option<String> {
    match package {
        "serverlink" | "slk" => Some(package.to_owned()),
        _ => package.strip_prefix("serverlink-").map(str::to_owned),
    }
}

/// Every source file of a crate's library.
fn sources(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![crate_directory(name).join("src")];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("a readable directory") {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{name} has no sources");
    found
}

fn is_shared_part(path: &Path) -> bool {
    path.iter().any(|piece| SHARED_PARTS_OF_MESSAGE.iter().any(|part| piece == *part))
}

/// Where code, not remarks and not tests, names what pure code must not.
fn impurities(sources: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources.iter().filter(|path| !is_test(path)) {
        let text = fs::read_to_string(path).expect("a readable source");
        let code = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        for (index, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                let word = if line.contains("std::sync::Arc") { "std::sync::Arc" } else { word };
                found.push(format!("{}:{}: {word}", path.display(), index + 1));
            }
        }
    }
    found
}

fn is_test(path: &Path) -> bool {
    path.iter().any(|piece| piece == "tests" || piece == "tests.rs")
}

#[test]
fn the_checks_find_what_they_look_for() {
    let manifest = "[dependencies]\nserverlink-zmtp.workspace = true\nslotmap = \"1\"\n\n[dev-dependencies]\nserverlink = { path = \"..\" }\n";
    let tables = tables_of(manifest);
    assert_eq!(tables["dependencies"], ["serverlink-zmtp", "slotmap"]);
    assert_eq!(folder_of("serverlink-zmtp").as_deref(), Some("zmtp"));
    assert_eq!(tables["dev-dependencies"], ["serverlink"]);

    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let path = directory.path().join("guilty.rs");
    fs::write(&path, "// Instant::now is only talked of here\nlet now = Instant::now();\n")
        .expect("a writable file");
    let found = impurities(&[path]);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("guilty.rs:2: Instant::now"), "{found:?}");
}
