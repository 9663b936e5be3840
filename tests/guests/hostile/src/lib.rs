//! A guest that misbehaves on request, for the tests of the sandbox.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exports::tests::hostile::tools::Guest;

wit_bindgen::generate!({ world: "hostile", path: "wit" });

struct Hostile;

static CALLS: AtomicU32 = AtomicU32::new(0);

impl Guest for Hostile {
    fn echo(text: String) -> String {
        text
    }

    fn trap() {
        core::arch::wasm32::unreachable()
    }

    fn panic(message: String) {
        panic!("{message}")
    }

    fn exit(status: u8) {
        std::process::exit(i32::from(status))
    }

    fn spin() -> u64 {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns.wrapping_add(1));
            if turns == u64::MAX {
                return turns;
            }
        }
    }

    fn recurse(depth: u64) -> u64 {
        fn down(depth: u64) -> u64 {
            let frame = black_box([depth; 16]);
            if depth == 0 { 0 } else { down(depth - 1) + frame[(depth % 16) as usize] }
        }
        down(depth)
    }

    fn allocate() -> u64 {
        let mut held: Vec<Vec<u8>> = Vec::new();
        loop {
            held.push(black_box(vec![1; 1 << 20]));
            if held.len() > 1 << 20 {
                return held.len() as u64;
            }
        }
    }

    fn flood(bytes: u64) -> u64 {
        let line = [b'x'; 4096];
        let mut left = bytes;
        let mut out = std::io::stdout().lock();
        while left > 0 {
            let part = left.min(line.len() as u64);
            if out.write_all(&line[..part as usize]).is_err() {
                break;
            }
            left -= part;
        }
        bytes - left
    }

    fn huge(bytes: u32) -> String {
        "x".repeat(bytes as usize)
    }

    fn sleep(millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    fn handles(path: String) -> u32 {
        let mut held = Vec::new();
        while let Ok(file) = std::fs::File::open(&path) {
            held.push(file);
            if held.len() >= 100_000 {
                break;
            }
        }
        held.len() as u32
    }

    fn count() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }
}

export!(Hostile);
