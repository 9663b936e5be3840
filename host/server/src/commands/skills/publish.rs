//! What an author does: `skills pack`, `publish` and `keygen`. No host is needed for it.

use std::path::{Path, PathBuf};

use bailiwick_distribution::key::{PrivateKey, PublicKey};
use bailiwick_distribution::oci::{Access, Credentials, OciError, Repository};
use bailiwick_distribution::pack::{Packed, signature_path};
use bailiwick_distribution::source::{Pointer, Reference};
use bailiwick_skills::package::LoadOptions;
use serde_json::json;

use super::install::{credentials, spinner};
use crate::app;
use crate::cli::skills::{Pack, Publish};
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output};

pub(super) fn pack(pack: &Pack, config: &Config, out: Output) -> Done {
    let packed = packed(&pack.folder, config)?;
    let key = private_key(pack.sign.as_deref())?;
    let manifest = &packed.manifest;
    let usual = || PathBuf::from(format!("{}-{}.tar", manifest.id.name(), manifest.version));
    let file = pack.out.clone().unwrap_or_else(usual);
    packed.write(&file, key.as_ref()).map_err(|error| Failure::new(Exit::Host, error))?;
    let signature = key.as_ref().map(|_| signature_path(&file));
    if out.json {
        out.value(&json!({
            "file": file,
            "signature": signature,
            "skill": manifest.id.as_str(),
            "version": manifest.version.to_string(),
            "digest": packed.digest.to_string(),
            "bundle": packed.bundle.digest().to_string(),
            "files": packed.bundle.files().len(),
        }));
        return Ok(());
    }
    out.line(format!("packed {} {} into {}", out.bold(manifest.id.as_str()), manifest.version, file.display()));
    out.line(format!("  bundle {} ({} files)", packed.bundle.digest(), packed.bundle.files().len()));
    match signature {
        Some(signature) => out.line(format!("  signed, in {}", signature.display())),
        None => out.line("  unsigned: hosts take it only where they are told `--allow-unsigned`"),
    }
    Ok(())
}

pub(super) fn publish(publish: &Publish, config: &Config, out: Output) -> Done {
    let reference: Reference = publish.place.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
    if let Pointer::Digest(_) = reference.version {
        let problem =
            "a package is put under a tag, and has its digest from its bytes: expected `oci://host/repository:tag`";
        return Err(Failure::new(Exit::Usage, problem));
    }
    let packed = packed(&publish.folder, config)?;
    let key = private_key(publish.sign.as_deref())?;
    let known = credentials(&publish.registry)?.map(|(username, password)| Credentials { username, password });
    let access = Access { plain_http: publish.registry.plain_http, credentials: known };
    let repository = Repository::new(&reference, &access);
    let component = packed.component().map(str::to_owned);
    let (manifest, digest) = (packed.manifest, packed.digest);
    let spinner = spinner("publishing", out);
    let runtime = app::runtime(Some(1))?;
    let pushed = runtime.block_on(repository.publish(packed.bundle, component.as_deref(), key.as_ref()));
    spinner.finish_and_clear();
    let pushed = pushed.map_err(failed)?;
    let pinned = reference.at(Pointer::Digest(pushed.manifest));
    if out.json {
        out.value(&json!({
            "skill": manifest.id.as_str(),
            "version": manifest.version.to_string(),
            "digest": digest.to_string(),
            "manifest": pushed.manifest.to_string(),
            "place": reference.to_string(),
            "pinned": pinned.to_string(),
            "signed": key.is_some(),
        }));
        return Ok(());
    }
    out.line(format!("published {} {} as {reference}", out.bold(manifest.id.as_str()), manifest.version));
    out.line(format!("  to pin it: {pinned}"));
    if key.is_none() {
        out.line("  unsigned: hosts take it only where they are told `--allow-unsigned`");
    }
    Ok(())
}

pub(super) fn keygen(file: &Path, out: Output) -> Done {
    if bailiwick_distribution::key::exists(file) {
        let problem =
            format!("`{}` is there already, and no key takes the place of another: name a new file", file.display());
        return Err(Failure::new(Exit::Usage, problem));
    }
    let key = PrivateKey::generate(file).map_err(|error| Failure::new(Exit::Host, error))?.public();
    if out.json {
        out.value(&json!({ "file": file, "public_key": key.to_string(), "pem": key.to_pem() }));
        return Ok(());
    }
    out.line(format!("The private key is in {}. Keep it to yourself; sign with `--sign`.", file.display()));
    out.line("Hosts trust its signatures with this in their configuration:\n");
    out.line(lines(&key));
    Ok(())
}

/// What the operator of a host puts into its configuration.
fn lines(key: &PublicKey) -> String {
    format!("[skills.trusted_keys.NAME]\npublic_key = \"{key}\"\nnamespaces = [\"NAMESPACE\"]")
}

fn packed(folder: &Path, config: &Config) -> Result<Packed, Failure> {
    let options = LoadOptions { strict: config.strict_validation, allow_shell: config.allow_shell };
    Packed::of(folder, &options).map_err(|error| Failure::new(Exit::Usage, error))
}

fn private_key(file: Option<&Path>) -> Result<Option<PrivateKey>, Failure> {
    file.map(PrivateKey::open).transpose().map_err(|error| Failure::new(Exit::Usage, error))
}

fn failed(error: OciError) -> Failure {
    let exit = match error {
        OciError::Plain { .. } | OciError::Login { .. } => Exit::Refused,
        _ => Exit::Host,
    };
    Failure::new(exit, error)
}
