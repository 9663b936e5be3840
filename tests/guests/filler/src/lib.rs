//! A guest that uses as much as it is told to of everything that has a limit.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use bailiwick_guest::http::Request;
use exports::tests::filler::tools::Guest;
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{self, Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasip2::io::streams::StreamError;

wit_bindgen::generate!({ world: "filler", path: "wit" });

struct Filler;

/// Bytes of one write.
const PIECE: u64 = 1000;

fn told(error: io::Error) -> String {
    format!("{:?}: {error}", error.kind())
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

/// Opens a new file by the interface itself.
fn open_at(path: &str) -> Result<Descriptor, String> {
    let folders = preopens::get_directories();
    let below = |root: &str| path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    let found = folders.iter().find_map(|(folder, root)| below(root).map(|rest| (folder, rest)));
    let (folder, rest) = found.ok_or("no such folder")?;
    folder.open_at(PathFlags::empty(), rest, OpenFlags::CREATE, DescriptorFlags::WRITE).map_err(code)
}

fn code(code: ErrorCode) -> String {
    if code == ErrorCode::Quota { "QuotaExceeded".to_owned() } else { format!("{code:?}") }
}

/// The sizes of the pieces, and where each begins.
fn pieces(bytes: u64) -> impl Iterator<Item = (u64, Vec<u8>)> {
    (0..bytes).step_by(PIECE as usize).map(move |start| (start, vec![b'x'; (bytes - start).min(PIECE) as usize]))
}

fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(PIECE);
        file.write_all(&vec![b'x'; piece as usize])?;
        left -= piece;
    }
    Ok(())
}

impl Guest for Filler {
    fn write(path: String, bytes: u64, offset: u64) -> Result<u64, String> {
        let mut file = open(&path).map_err(told)?;
        file.seek(SeekFrom::Start(offset)).map_err(told)?;
        fill(&mut file, bytes).map_err(told)?;
        Ok(bytes)
    }

    fn append(path: String, bytes: u64) -> Result<(), String> {
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(told)?;
        fill(&mut file, bytes).map_err(told)
    }

    fn stream(path: String, bytes: u64) -> Result<(), String> {
        let file = open_at(&path)?;
        let stream = file.write_via_stream(0).map_err(code)?;
        for (_, piece) in pieces(bytes) {
            stream.blocking_write_and_flush(&piece).map_err(|error| match error {
                StreamError::LastOperationFailed(error) => {
                    types::filesystem_error_code(&error).map_or_else(|| "no code".to_owned(), code)
                }
                StreamError::Closed => "closed".to_owned(),
            })?;
        }
        Ok(())
    }

    fn place(path: String, bytes: u64) -> Result<(), String> {
        let file = open_at(&path)?;
        for (start, piece) in pieces(bytes) {
            file.write(&piece, start).map_err(code)?;
        }
        Ok(())
    }

    fn resize(path: String, bytes: u64) -> Result<(), String> {
        open(&path).and_then(|file| file.set_len(bytes)).map_err(told)
    }

    fn rewrite(path: String, times: u32) -> Result<u32, String> {
        for _ in 0..times {
            fs::write(&path, "x").map_err(told)?;
        }
        Ok(times)
    }

    fn make_files(folder: String, count: u32) -> Result<u32, String> {
        for n in 0..count {
            File::create_new(format!("{folder}/file-{n}")).map_err(|error| format!("{n}: {}", told(error)))?;
        }
        Ok(count)
    }

    fn make_folders(folder: String, count: u32) -> Result<u32, String> {
        let mut path = folder;
        for n in 0..count {
            path.push_str("/d");
            fs::create_dir(&path).map_err(|error| format!("{n}: {}", told(error)))?;
        }
        Ok(count)
    }

    fn link(old: String, new: String) -> Result<(), String> {
        fs::hard_link(old, new).map_err(told)
    }

    fn symlink(target: String, new: String) -> Result<(), String> {
        #[expect(deprecated, reason = "the only stable way to make a symlink in WASI")]
        fs::soft_link(target, new).map_err(told)
    }

    fn rename(old: String, new: String) -> Result<(), String> {
        fs::rename(old, new).map_err(told)
    }

    fn read(path: String) -> Result<String, String> {
        let mut text = String::new();
        File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(told)?;
        Ok(text)
    }

    fn names(folder: String) -> Result<Vec<String>, String> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = fs::read_dir(folder).map_err(told)?.map(name).collect::<io::Result<Vec<_>>>().map_err(told)?;
        names.sort();
        Ok(names)
    }

    fn look(path: String, times: u32) -> Result<u32, String> {
        for _ in 0..times {
            fs::metadata(&path).map_err(told)?;
        }
        Ok(times)
    }

    fn random(bytes: u32, times: u32) -> u32 {
        (0..times).map(|_| wasip2::random::random::get_random_bytes(bytes.into()).len() as u32).sum()
    }

    fn post(url: String, bytes: u32, times: u32) -> Result<u64, String> {
        let mut received = 0;
        for _ in 0..times {
            let request = Request::post(&url, vec![b'x'; bytes as usize]).max_response_bytes(1 << 24);
            received += request.send().map_err(|error| error.to_string())?.body.len() as u64;
        }
        Ok(received)
    }

    fn settle(name: String, millis: u64) -> Result<Vec<String>, String> {
        fs::write(format!("/workspace/{name}"), "mine").map_err(told)?;
        std::thread::sleep(Duration::from_millis(millis));
        Self::names("/workspace".to_owned())
    }
}

export!(Filler);
