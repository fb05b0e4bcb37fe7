//! What is drawn, through the public API, without a terminal: stored pictures, and what holds for every picture.

#![expect(clippy::unwrap_used, reason = "a test that cannot draw has failed")]

#[path = "ui/filtering.rs"]
mod filtering;
#[path = "support/memory.rs"]
mod memory;
#[path = "ui/picture.rs"]
mod picture;
#[path = "ui/properties.rs"]
mod properties;
#[path = "ui/serving.rs"]
mod serving;
#[path = "ui/serving_tls.rs"]
mod serving_tls;
#[path = "ui/snapshots.rs"]
mod snapshots;
#[path = "support/stage.rs"]
mod stage;
#[path = "support/svg.rs"]
mod svg;
