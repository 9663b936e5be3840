//! How packages travel: from an author to a host, by a file or a registry.
//!
//! A package becomes a [`bundle::Bundle`], the same bytes on every machine; a
//! [`key::PrivateKey`] signs them, and the operator of a host says in [`trust`]
//! whose signatures count. [`oci`] carries bundles to registries and back. The
//! [`store`] has what is installed, and the [`lock`] says which bytes that may
//! be. [`install`] is the only way in.
//!
//! Nothing that was fetched is read further than its digest before a signature
//! or the operator has vouched for it. Installing grants nothing.

pub mod bundle;
pub mod install;
pub mod key;
pub mod lock;
pub mod oci;
pub mod pack;
pub mod signature;
pub mod source;
pub mod store;
pub mod trust;

mod durable;
