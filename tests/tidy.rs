//! The rules of the code base that no compiler and no lint checks: the layer law, sizes, module docs, pure layers. Each rule is proved on the syntax tree, and each check is shown to find what it forbids.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read its sources has failed"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Modules from the lowest layer up, and for each what it may import besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("model", &["text"]),
    ("capture", &["text", "model"]),
    ("net", &["text", "model", "capture"]),
    ("app", &["text", "model", "capture"]),
    ("ui", &["text", "model", "capture", "app"]),
    ("runtime", &["text", "model", "capture", "net", "app", "ui"]),
];

/// Crates and functions that a layer must not mention.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("text", &["tokio", "ratatui", "crossterm", "nix", "socket2"]),
    ("model", &["tokio", "ratatui", "crossterm", "nix", "socket2"]),
    ("capture", &["tokio", "ratatui", "crossterm", "socket2"]),
    ("net", &["ratatui", "crossterm"]),
    ("app", &["tokio", "ratatui", "crossterm", "nix", "socket2"]),
    ("ui", &["tokio", "crossterm", "nix", "socket2"]),
];

/// Parts of those crates that a layer may mention all the same: they need no runtime.
const ALLOWED: &[(&str, &str)] = &[("capture", "tokio::sync")];

/// Layers whose functions take the time as a value.
const CLOCKLESS: &[&str] = &["text", "model", "app", "ui"];

/// What those layers do not touch either: files, other threads, the process.
const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "std::sync::mpsc",
];

/// Lines of a file without its tests.
const FILE_LINES: usize = 400;

/// Lines of a function, signature and braces included.
const FUNCTION_LINES: usize = 60;

struct Source {
    path: PathBuf,
    layer: Option<String>,
    text: String,
    tree: syn::File,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let first = path.strip_prefix(&root).unwrap().iter().next().unwrap();
                let layer = first.to_str().unwrap().trim_end_matches(".rs").to_owned();
                let layer = LAYERS.iter().any(|(name, _)| *name == layer).then_some(layer);
                found.push(source(
                    path.clone(),
                    layer,
                    std::fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    assert!(found.len() > LAYERS.len(), "no sources found");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let tests: Vec<PathBuf> = found.iter().flat_map(test_modules).collect();
    // A module of tests is tests to its last file.
    found.retain(|source| {
        let under =
            |module: &PathBuf| source.path == *module || source.path.starts_with(module.with_extension(""));
        !tests.iter().any(under)
    });
    found
}

/// The files of modules that are compiled only for tests.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let folder = source.path.with_extension("");
    let declared = source.tree.items.iter().filter_map(|item| {
        let syn::Item::Mod(module) = item else { return None };
        let elsewhere = module.content.is_none() && is_test(&module.attrs);
        elsewhere.then(|| folder.join(format!("{}.rs", module.ident)))
    });
    declared.collect()
}

fn source(path: PathBuf, layer: Option<String>, text: String) -> Source {
    let tree = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Source {
        path,
        layer,
        text,
        tree,
    }
}

fn sample(layer: &str, text: &str) -> Source {
    source(
        PathBuf::from("sample.rs"),
        Some(layer.to_owned()),
        text.to_owned(),
    )
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("test")
            || (a.path().is_ident("cfg")
                && a.meta
                    .require_list()
                    .is_ok_and(|l| l.tokens.to_string() == "test"))
    })
}

/// Every path written in a file outside its tests, as `a::b::c`, and every function with its length.
#[derive(Default)]
struct Findings {
    paths: BTreeSet<String>,
    functions: Vec<(String, usize)>,
    test_lines: usize,
}

impl Findings {
    fn of(source: &Source) -> Findings {
        let mut findings = Findings::default();
        findings.visit_file(&source.tree);
        findings
    }

    fn function(&mut self, name: &syn::Ident, span: proc_macro2::Span) {
        self.functions
            .push((name.to_string(), span.end().line - span.start().line + 1));
    }

    fn use_tree(&mut self, prefix: &str, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&format!("{prefix}{}::", path.ident), &path.tree),
            syn::UseTree::Name(name) => drop(self.paths.insert(format!("{prefix}{}", name.ident))),
            syn::UseTree::Rename(name) => drop(self.paths.insert(format!("{prefix}{}", name.ident))),
            syn::UseTree::Glob(_) => drop(self.paths.insert(format!("{prefix}*"))),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(prefix, item)),
        }
    }
}

impl<'ast> Visit<'ast> for Findings {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test(&item.attrs) {
            self.test_lines += item.span().end().line - item.span().start().line + 1;
        } else {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig.ident, item.span());
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, item.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.use_tree("", &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.paths.insert(names.join("::"));
        visit::visit_path(self, path);
    }
}

fn layer_violations(source: &Source) -> Vec<String> {
    let Some(layer) = &source.layer else {
        return Vec::new();
    };
    let (_, below) = LAYERS.iter().find(|(name, _)| name == layer).unwrap();
    let forbidden = FORBIDDEN
        .iter()
        .find(|(name, _)| name == layer)
        .map_or(&[][..], |(_, names)| names);
    let mut wrong = Vec::new();
    for path in Findings::of(source).paths {
        let mut names = path.split("::");
        let first = names.next().unwrap_or_default();
        let imported = if first == "crate" {
            names.next().unwrap_or_default()
        } else {
            ""
        };
        if LAYERS.iter().any(|(name, _)| *name == imported) && imported != layer && !below.contains(&imported)
        {
            wrong.push(format!(
                "{}: {layer} imports {path}, which lies above it or beside it",
                source.path.display()
            ));
        }
        let allowed = ALLOWED
            .iter()
            .any(|(name, part)| name == layer && path.starts_with(part));
        if forbidden.contains(&first) && !allowed {
            wrong.push(format!(
                "{}: {layer} must not mention {path}",
                source.path.display()
            ));
        }
    }
    wrong
}

fn clock_violations(source: &Source) -> Vec<String> {
    let layer = source.layer.as_deref().unwrap_or_default();
    if !CLOCKLESS.contains(&layer) {
        return Vec::new();
    }
    let clock = |path: &&String| {
        ["Instant", "SystemTime", "Local::now", "Utc::now"]
            .iter()
            .any(|c| path.contains(c))
    };
    let found = Findings::of(source).paths;
    found
        .iter()
        .filter(clock)
        .map(|p| format!("{}: {p} reads the clock", source.path.display()))
        .collect()
}

fn outside_violations(source: &Source) -> Vec<String> {
    let layer = source.layer.as_deref().unwrap_or_default();
    if !CLOCKLESS.contains(&layer) {
        return Vec::new();
    }
    let found = Findings::of(source).paths;
    let outside = |path: &&String| OUTSIDE.iter().any(|module| path.starts_with(module));
    found
        .iter()
        .filter(outside)
        .map(|p| format!("{}: {p} reaches outside", source.path.display()))
        .collect()
}

fn size_violations(source: &Source) -> Vec<String> {
    let findings = Findings::of(source);
    let name = source.path.display();
    let lines = source.text.lines().count() - findings.test_lines;
    let mut wrong = Vec::new();
    if lines > FILE_LINES {
        wrong.push(format!(
            "{name}: {lines} lines without tests; split it by responsibility"
        ));
    }
    for (function, lines) in findings.functions {
        if lines > FUNCTION_LINES {
            wrong.push(format!(
                "{name}: fn {function} has {lines} lines; split it by responsibility"
            ));
        }
    }
    wrong
}

fn text_violations(source: &Source) -> Vec<String> {
    let name = source.path.display();
    let mut wrong = Vec::new();
    if !source.text.starts_with("//!") {
        wrong.push(format!("{name}: does not open with its responsibility (`//!`)"));
    }
    if source.path.file_name().is_some_and(|f| f == "mod.rs") {
        wrong.push(format!("{name}: write foo.rs beside foo/, not foo/mod.rs"));
    }
    for word in ["TODO", "FIXME", "#[allow", "#![allow", "#[ignore"] {
        if source.text.contains(word) {
            wrong.push(format!("{name}: has {word}"));
        }
    }
    wrong
}

fn holds(check: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = sources().iter().flat_map(check).collect();
    let mut list = String::new();
    for line in &wrong {
        writeln!(list, "  {line}").unwrap();
    }
    assert!(wrong.is_empty(), "\n{list}");
}

#[test]
fn imports_run_strictly_downward() {
    assert_eq!(
        layer_violations(&sample("model", "use crate::{app::App, text};")).len(),
        1
    );
    assert_eq!(
        layer_violations(&sample("net", "fn f() { crate::app::g() }")).len(),
        1
    );
    assert_eq!(
        layer_violations(&sample("ui", "use tokio::time::sleep;")).len(),
        1
    );
    assert_eq!(
        layer_violations(&sample("capture", "use tokio::{sync::watch, time::sleep};")).len(),
        1
    );
    assert_eq!(
        layer_violations(&sample("ui", "use crate::app::App; use ratatui::Frame;")),
        Vec::<String>::new()
    );
    holds(layer_violations);
}

#[test]
fn pure_layers_read_no_clock() {
    assert_eq!(
        clock_violations(&sample("app", "fn f() { std::time::Instant::now(); }")).len(),
        1
    );
    assert_eq!(
        clock_violations(&sample("net", "fn f() { std::time::Instant::now(); }")).len(),
        0
    );
    holds(clock_violations);
}

#[test]
fn pure_layers_reach_for_nothing_outside() {
    assert_eq!(
        outside_violations(&sample("app", "use std::{fs::File, fmt};")).len(),
        1
    );
    assert_eq!(
        outside_violations(&sample("capture", "use std::fs::File;")).len(),
        0
    );
    holds(outside_violations);
}

#[test]
fn files_and_functions_stay_small() {
    let long = format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES));
    assert_eq!(size_violations(&sample("net", &long)).len(), 1);
    holds(size_violations);
}

#[test]
fn files_say_what_they_are_for_and_leave_nothing_undone() {
    assert_eq!(text_violations(&sample("net", "fn f() {} // TODO")).len(), 2);
    holds(text_violations);
}
