//! A guest that keeps state and reads its configuration, for the tests of both.

use bailiwick_guest::config;
use bailiwick_guest::state::Bucket;
use exports::tests::keeper::tools::Guest;

wit_bindgen::generate!({ world: "keeper", path: "wit" });

struct Keeper;

fn bucket() -> Result<Bucket, String> {
    Bucket::open().map_err(|error| error.to_string())
}

impl Guest for Keeper {
    fn put(key: String, value: String) -> Result<(), String> {
        bucket()?.set(&key, value.as_bytes()).map_err(|error| error.to_string())
    }

    fn get(key: String) -> Result<Option<String>, String> {
        let value = bucket()?.get(&key).map_err(|error| error.to_string())?;
        Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn add(key: String, delta: u64) -> Result<u64, String> {
        bucket()?.increment(&key, delta).map_err(|error| error.to_string())
    }

    fn keys() -> Result<Vec<String>, String> {
        let mut keys = bucket()?.keys(10_000).map_err(|error| error.to_string())?;
        keys.sort();
        Ok(keys)
    }

    fn setting(key: String) -> Result<Option<String>, String> {
        config::get(&key).map_err(|error| error.to_string())
    }
}

export!(Keeper);
