//! What a relay waits for.

use std::future::{self, Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::io::{Interest, Ready};
use tokio::time::{Instant, sleep_until};

use crate::net::channel::Channel;

/// Waits until something of that is worth trying; for ever if nothing is wanted.
pub(super) async fn ready(channel: &Channel, interest: Option<Interest>) -> Ready {
    match interest {
        Some(interest) => channel.ready(interest).await,
        None => future::pending().await,
    }
}

/// Waits for one of them, and asks both: a side that always has something must not keep the other waiting.
pub(super) async fn either(
    one: impl Future<Output = Ready>,
    other: impl Future<Output = Ready>,
) -> [Option<Ready>; 2] {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let found = |poll| match poll {
        Poll::Ready(ready) => Some(ready),
        Poll::Pending => None,
    };
    poll_fn(|context| {
        let both = [one.as_mut().poll(context), other.as_mut().poll(context)].map(found);
        if both.iter().any(Option::is_some) {
            Poll::Ready(both)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Waits until then; for ever if there is no such moment.
pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
