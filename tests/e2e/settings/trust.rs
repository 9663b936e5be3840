//! The keys of `[skills]` that say which packages are let in.

use crate::host::Home;
use crate::install::{Author, Source, install};

/// Installs a file that `author` signed on a host with these settings.
fn installed(settings: &str, author: &Author) -> crate::host::Ran {
    let home = Home::with(settings);
    let source = Source::hello();
    home.run(&["skills", "pack", source.path(), "--out", "a.tar", "--sign", &author.file()]).expect(0);
    install(&home, &["a.tar"])
}

#[test]
pub(super) fn the_public_key_says_whose_signatures_count() {
    let (author, stranger) = (Author::new(), Author::new());
    let settings = author.trusted("acme", &["acme"]);
    let done = installed(&settings, &author).expect(0).stdout;
    assert!(done.contains("signed by the key acme"), "{done}");
    let refused = installed(&settings, &stranger).expect(4).stderr;
    assert!(refused.contains("none of its 1 signatures"), "{refused}");
}

#[test]
pub(super) fn the_namespaces_say_what_a_key_may_sign() {
    let author = Author::new();
    for (namespaces, code) in
        [(&["acme"][..], 0), (&["other", "acme"], 0), (&["other"], 4), (&["acme-inc", "hello"], 4)]
    {
        let ran = installed(&author.trusted("k", namespaces), &author).expect(code);
        assert!(code == 0 || ran.stderr.contains("`acme/hello` needs a key"), "{}", ran.stderr);
    }
}

#[test]
pub(super) fn unsigned_packages_are_let_in_only_if_told_so() {
    let source = Source::hello();
    for (settings, code) in
        [("", 4), ("[skills]\nallow_unsigned = false\n", 4), ("[skills]\nallow_unsigned = true\n", 0)]
    {
        install(&Home::with(settings), &[source.path()]).expect(code);
    }
}
