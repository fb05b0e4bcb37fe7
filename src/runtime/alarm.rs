//! Runs the loop's future on the calling thread, and wakes it at the moment that it names: at once when that has come,
//! and once.
//!
//! Tokio's timers are made for thousands of them. They round up to whole milliseconds, which every key would wait, and
//! wake the thread up to three times during a second. The loop has one timer, and needs no more than a thread that
//! parks.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

/// The time at which the future that [`Alarm::block_on`] runs wants to be looked at again.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    at: Cell<Option<Instant>>,
}

impl Alarm {
    /// Waits until `at`, in the future that [`Alarm::block_on`] runs and in no other.
    pub(crate) async fn sleep_until(&self, at: Instant) {
        let look = |_: &mut Context<'_>| {
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            let next = self.at.get().map_or(at, |next| next.min(at));
            self.at.set(Some(next));
            Poll::Pending
        };
        poll_fn(look).await;
    }

    /// Runs the future to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            // Whoever still waits for the time says so again.
            self.at.set(None);
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            match self.at.get() {
                Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
                None => thread::park(),
            }
        }
    }
}

/// Wakes the thread that runs the future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn the_time_wakes_it_and_not_before() {
        let alarm = Alarm::default();
        let at = Instant::now() + Duration::from_millis(3);
        alarm.block_on(alarm.sleep_until(at));
        assert!(Instant::now() >= at);
    }

    #[test]
    fn the_earliest_time_counts() {
        let alarm = Alarm::default();
        let start = Instant::now();
        let first = alarm.block_on(async {
            tokio::select! {
                () = alarm.sleep_until(start + Duration::from_hours(1)) => "late",
                () = alarm.sleep_until(start + Duration::from_millis(1)) => "early",
            }
        });
        assert_eq!(first, "early");
    }

    #[test]
    fn another_thread_wakes_it() {
        let alarm = Alarm::default();
        let (sender, receiver) = oneshot::channel();
        let other = thread::spawn(move || sender.send(5));
        let got = alarm.block_on(async {
            tokio::select! {
                got = receiver => got,
                () = alarm.sleep_until(Instant::now() + Duration::from_hours(1)) => Ok(0),
            }
        });
        assert_eq!(got, Ok(5));
        assert_eq!(other.join().unwrap(), Ok(()));
    }
}
