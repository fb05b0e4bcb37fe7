//! Finding the entries of a file, whichever kind it is.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::capture::foreign::{Foreign, Format, Import};
use crate::capture::scan::Scan;
use crate::capture::segment::{Segment, Shared};
use crate::capture::session::{Log, Source};
use crate::capture::walk::Fault;
use crate::model::EntryId;

/// One of two.
#[derive(Debug)]
pub(super) enum Indexer {
    /// A recording of ours.
    Own(Box<Scan>),
    /// A capture of another program.
    Foreign(Box<Import>),
}

impl Indexer {
    /// Begins with a recording of ours in `file`, which says that its first entry has the number `first`.
    pub(super) fn own(source: &Source, file: Segment, first: Option<EntryId>) -> Indexer {
        let shared = Arc::new(Shared::new(Arc::new(file)));
        source.found(Log::Own(shared.clone()));
        Indexer::Own(Box::new(Scan::new(shared, first)))
    }

    /// Goes on with the recording in another file. Only recordings of ours go on.
    pub(super) fn go_on(&mut self, file: Segment, first: Option<EntryId>) {
        match self {
            Indexer::Own(scan) => scan.go_on(file, first),
            Indexer::Foreign(_) => {}
        }
    }

    /// Begins with a capture of another program in `file`.
    pub(super) fn foreign(source: &Source, file: Arc<File>, format: Format) -> io::Result<Indexer> {
        let foreign = Arc::new(Foreign::new(file)?);
        source.found(Log::Foreign(foreign.clone()));
        Ok(Indexer::Foreign(Box::new(Import::new(foreign, format)?)))
    }

    /// Bytes that were indexed.
    pub(super) fn at(&self) -> u64 {
        match self {
            Indexer::Own(scan) => scan.at(),
            Indexer::Foreign(import) => import.at(),
        }
    }

    /// Conversations that were found.
    pub(super) fn conversations(&self) -> u64 {
        match self {
            Indexer::Own(scan) => scan.connections(),
            Indexer::Foreign(import) => import.conversations(),
        }
    }

    /// What was left out or repaired so far.
    pub(super) fn remarks(&self) -> Vec<String> {
        match self {
            Indexer::Own(scan) => scan.remarks(),
            Indexer::Foreign(import) => import.remarks(),
        }
    }

    /// Goes some `budget` bytes on, never past `end`.
    pub(super) fn advance(&mut self, end: u64, budget: u64) -> Result<(), Fault> {
        match self {
            Indexer::Own(scan) => scan.advance(end, budget),
            Indexer::Foreign(import) => import.advance(end, budget),
        }
    }

    /// Shows readers what was found so far.
    pub(super) fn publish(&mut self) -> io::Result<()> {
        match self {
            Indexer::Own(scan) => {
                scan.publish();
                Ok(())
            }
            Indexer::Foreign(import) => import.publish(),
        }
    }

    /// Nothing more comes for now.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        match self {
            Indexer::Own(_) => Ok(()),
            Indexer::Foreign(import) => import.settle(),
        }
    }
}
