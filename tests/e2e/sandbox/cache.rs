//! Compiled code on disk: used when whole, never when touched.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::lab::{Lab, nothing, success};

fn files(cache: &Path, extension: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}

async fn answers(cache: &Path) -> bool {
    let lab = Lab::with(4, cache.to_owned());
    let guest = lab.guest("foreign");
    let outcome = lab.call(&nothing(&guest), &guest, "version", &json!({})).await;
    success(outcome) == json!("2.3.0")
}

#[tokio::test]
async fn touched_code_is_compiled_anew_and_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    assert!(answers(&cache).await);
    for extension in ["cwasm", "json"] {
        let [file] = files(&cache, extension).try_into().unwrap();
        let whole = fs::read(&file).unwrap();
        for broken in [vec![], whole[..whole.len() / 2].to_vec(), flipped(&whole)] {
            fs::write(&file, &broken).unwrap();
            assert!(answers(&cache).await, "{extension} with {} of {} bytes", broken.len(), whole.len());
            assert_ne!(fs::read(&file).unwrap(), broken, "what was touched is replaced");
        }
    }
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

#[tokio::test]
async fn whole_code_is_used_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    assert!(answers(&cache).await);
    let [file] = files(&cache, "cwasm").try_into().unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    assert!(answers(&cache).await);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);
}

#[tokio::test]
async fn another_hosts_code_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    assert!(answers(&ours).await);
    assert!(answers(&theirs).await);
    for extension in ["cwasm", "json"] {
        fs::copy(&files(&theirs, extension)[0], &files(&ours, extension)[0]).unwrap();
    }
    let before = fs::read(&files(&ours, "json")[0]).unwrap();
    assert!(answers(&ours).await);
    assert_ne!(fs::read(&files(&ours, "json")[0]).unwrap(), before, "sealed anew with our own key");
}

#[tokio::test]
async fn the_cache_is_the_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    assert!(answers(&cache).await);
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let key = fs::metadata(cache.join("seal.key")).unwrap();
    assert_eq!((key.permissions().mode() & 0o777, key.len()), (0o600, 32));
}
