//! From bytes to a description: what a component is, needs and offers.

mod docs;
mod imports;
mod signature;

use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::digest::Digest;
use wasmtime::component::Component;

use self::signature::Exports;

/// Length of the header of every WebAssembly binary.
const HEADER: usize = 8;

/// What the header must say before anything costly is done with the bytes.
pub(crate) fn check_header(bytes: &[u8]) -> Result<(), ComponentError> {
    let Some(header) = bytes.first_chunk::<HEADER>().filter(|header| header.starts_with(b"\0asm")) else {
        let found: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" ") };
        return Err(ComponentError::NotWasm { found });
    };
    let version = u16::from_le_bytes([header[4], header[5]]);
    let layer = u16::from_le_bytes([header[6], header[7]]);
    match (version, layer) {
        (13, 1) => Ok(()),
        (1, 0) => Err(ComponentError::CoreModule),
        _ => Err(ComponentError::UnknownVersion { version, layer }),
    }
}

/// Describes a compiled component; `bytes` is where its documentation is.
pub(crate) fn inspect(component: &Component, bytes: &[u8], digest: Digest) -> Result<Inspection, ComponentError> {
    let engine = component.engine();
    let ty = component.component_type();
    let imports = imports::check(&ty, engine)?;
    let Exports { mut tools, provided } = signature::exports(&ty, engine)?;
    docs::annotate(&mut tools, bytes);
    Ok(Inspection { digest, size: bytes.len() as u64, imports, tools, provided })
}
