//! A guest that keeps state and reads its configuration, for the tests of both.

use bailiwick_guest::config;
use bailiwick_guest::state::Bucket;
use exports::tests::keeper::tools::Guest;

use wasi::keyvalue::atomics::{self, Cas, CasError};

wit_bindgen::generate!({ world: "keeper", path: "wit", generate_all });

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

    fn add_by_swap(key: String, millis: u64) -> Result<(u64, u32), String> {
        let bucket = wasi::keyvalue::store::open("").map_err(|error| format!("{error:?}"))?;
        let mut cas = Cas::new(&bucket, &key).map_err(|error| format!("{error:?}"))?;
        let mut retries = 0;
        loop {
            let old = cas.current().map_err(|error| format!("{error:?}"))?;
            let old = old.map_or(Ok(0), |bytes| String::from_utf8_lossy(&bytes).parse::<u64>());
            let new = old.map_err(|error| error.to_string())? + 1;
            std::thread::sleep(std::time::Duration::from_millis(millis));
            match atomics::swap(cas, new.to_string().as_bytes()) {
                Ok(()) => return Ok((new, retries)),
                Err(CasError::CasFailed(newer)) => {
                    cas = newer;
                    retries += 1;
                }
                Err(CasError::StoreError(error)) => return Err(format!("{error:?}")),
            }
        }
    }

    fn add_signed(key: String, delta: i64) -> Result<i64, String> {
        let bucket = wasi::keyvalue::store::open("").map_err(|error| format!("{error:?}"))?;
        atomics::increment(&bucket, &key, delta).map_err(|error| format!("{error:?}"))
    }

    fn swaps(key: String, count: u32) -> Result<u32, String> {
        let bucket = wasi::keyvalue::store::open("").map_err(|error| format!("{error:?}"))?;
        let handles: Result<Vec<_>, _> = (0..count).map(|_| Cas::new(&bucket, &key)).collect();
        handles.map(|handles| handles.len() as u32).map_err(|error| format!("{error:?}"))
    }

    fn many(key: String, count: u32) -> Result<u32, String> {
        let bucket = wasi::keyvalue::store::open("").map_err(|error| format!("{error:?}"))?;
        let keys = vec![key; count as usize];
        let values = wasi::keyvalue::batch::get_many(&bucket, &keys).map_err(|error| format!("{error:?}"))?;
        Ok(values.iter().flatten().count() as u32)
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
