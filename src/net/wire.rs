//! The socket of a connection and, once they were asked for, its time stamps: they count what crosses it, whatever TLS
//! makes of that above.

use std::future::{Future as _, poll_fn};
use std::io::{self, IoSlice, Read, Write};
use std::pin::pin;
use std::task::Poll;

use socket2::SockRef;
use tokio::io::{Interest, Ready};

use super::Clock;
use super::socket::{Datagram, Socket};
use super::stamping::{Refused, Stamping};

/// A connected socket.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) socket: Socket,
    /// Nothing until time stamps were asked for the first time.
    stamping: Option<Box<Stamping>>,
}

impl Wire {
    /// Without time stamps.
    pub(super) fn new(socket: Socket) -> Wire {
        Wire {
            socket,
            stamping: None,
        }
    }

    /// Asks for time stamps, or no more.
    pub(super) fn stamp(&mut self, on: bool, clock: Clock) -> Result<(), Refused> {
        match &mut self.stamping {
            Some(stamping) => stamping.switch(&self.socket, on),
            None if on => {
                self.stamping = Some(Box::new(Stamping::start(&self.socket, clock)?));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Its time stamps, if they were ever asked for.
    pub(super) fn stamping(&mut self) -> Option<&mut Stamping> {
        self.stamping.as_deref_mut()
    }

    /// Whether time stamps were ever asked for, so that an error may be one.
    pub(super) fn was_stamped(&self) -> bool {
        self.stamping.is_some()
    }

    /// Takes in the time stamps that have come.
    pub(super) fn gather(&mut self) {
        if let Some(stamping) = &mut self.stamping {
            stamping.gather(&self.socket);
        }
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        let Some(stamping) = &self.stamping else {
            return self.socket.ready(interest).await;
        };
        let rest = interest.remove(Interest::WRITABLE).unwrap_or(Interest::ERROR) | Interest::ERROR;
        if !interest.is_writable() {
            return self.socket.ready(rest).await;
        }
        // Both are looked at, so that neither keeps the other from being seen.
        let mut socket = pin!(self.socket.ready(rest));
        let mut room = pin!(stamping.writable());
        poll_fn(|context| {
            let socket = socket.as_mut().poll(context);
            let room = room.as_mut().poll(context).map(|()| Ready::WRITABLE);
            match (socket, room) {
                (Poll::Ready(one), Poll::Ready(other)) => Poll::Ready(one | other),
                (Poll::Ready(one), Poll::Pending) | (Poll::Pending, Poll::Ready(one)) => Poll::Ready(one),
                (Poll::Pending, Poll::Pending) => Poll::Pending,
            }
        })
        .await
    }

    /// Takes the next datagram.
    pub(super) fn take_datagram(&mut self, buffer: &mut [u8]) -> io::Result<Datagram> {
        let datagram = self.socket.take_datagram(buffer)?;
        if let Some(stamping) = &mut self.stamping {
            stamping.arrived(datagram.arrived);
        }
        Ok(datagram)
    }

    /// What became of an attempt to write, for those who count.
    fn tried(&mut self, result: &io::Result<usize>) {
        let Some(stamping) = &mut self.stamping else {
            return;
        };
        match result {
            Ok(count) => stamping.count(*count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stamping.blocked(&self.socket),
            Err(_) => stamping.miscounted(&self.socket),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stamping) = self.stamping.as_mut().filter(|stamping| stamping.is_active()) else {
            return self.socket.read(buffer);
        };
        let (count, arrived) = self.socket.read_stamped(buffer)?;
        stamping.arrived(arrived);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stamping.is_none() {
            return self.socket.write(bytes);
        }
        // What the reactor believes of room is not to be trusted any more; the socket itself knows.
        let result = SockRef::from(&self.socket).send(bytes);
        self.tried(&result);
        result
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.stamping.is_none() {
            return self.socket.write_vectored(parts);
        }
        let result = SockRef::from(&self.socket).send_vectored(parts);
        self.tried(&result);
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
