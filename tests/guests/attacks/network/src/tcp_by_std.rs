//! A connection as a standard library makes it.

use attack_kit::Tried;
use std::io::Write as _;

pub fn attack(target: &str) -> Tried {
    let mut stream =
        std::net::TcpStream::connect(format!("127.0.0.1:{target}")).map_err(|error| error.kind().to_string())?;
    stream.write_all(b"GET /page HTTP/1.0\r\n\r\n").map_err(|error| error.to_string())?;
    Ok("connected".to_owned())
}
