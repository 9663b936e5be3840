//! Packages as authors write them, right and wrong.
//!
//! A case is a file: `manifests/{valid,invalid}/NAME.toml` or
//! `skill-md/{valid,invalid}/NAME.md`, with the exact errors or warnings in
//! `NAME.expected` beside it. `BLESS=1` writes those files anew; read the
//! difference before it is kept.

mod cases;
mod coverage;
mod folders;
mod manifests;
mod robust;
mod skill_md;
