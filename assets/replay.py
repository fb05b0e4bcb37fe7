import selectors
import socket
import ssl
import struct
import sys
import time

PATIENCE = 10.0  # seconds to wait for what the server sent then
SHOWN = 100  # bytes of each piece that are shown

trust = ssl.create_default_context()  # for a server of your own: trust.load_verify_locations("ca.pem")
connections = {}
status = 0


class Connection:
    """A connection of this run. After a failure nothing more is done with it."""

    def __init__(self, number, host, port, tls):
        self.number = number
        self.owed = 0  # bytes that are yet to come; less than none if more came
        self.over = False  # whether the server has ended
        self.socket = None
        try:
            self.socket = socket.create_connection(target or (host, port), PATIENCE)
            if tls is not None:
                self.socket = trust.wrap_socket(self.socket, server_hostname=tls)
        except OSError as error:
            # Not one of the steps that follow is taken without a connection.
            self.socket = None
            return self.fail("cannot connect to %s port %s: %s" % (*(target or (host, port)), error))
        self.socket.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.socket, selectors.EVENT_READ)
        self.say("connected to %s port %d" % self.socket.getpeername()[:2])

    def say(self, text):
        print("%d: %s" % (self.number, text), flush=True)

    def fail(self, text):
        global status
        status = 1
        print("%d: %s" % (self.number, text), file=sys.stderr, flush=True)
        self.drop()

    def drop(self):
        if self.socket is not None:
            self.socket.close()
            self.selector.close()
            self.socket = None

    def pump(self, deadline, data=b""):
        """Reads what has come, and sends what goes out of data; returns how much that was. Doing both at once keeps
        two sides that send much from waiting for each other."""
        events = (0 if self.over else selectors.EVENT_READ) | (selectors.EVENT_WRITE if data else 0)
        self.selector.modify(self.socket, events)
        # What TLS has decrypted already is no news to the selector.
        decrypted = isinstance(self.socket, ssl.SSLSocket) and not self.over and self.socket.pending() > 0
        ready = self.selector.select(0.0 if decrypted else max(0.0, deadline - time.monotonic()))
        seen = (ready[0][1] if ready else 0) | (selectors.EVENT_READ if decrypted else 0)
        if seen & selectors.EVENT_READ:
            self.read()
        if seen & selectors.EVENT_WRITE:
            try:
                return self.socket.send(data)
            except ssl.SSLWantWriteError:
                return 0
        return 0

    def read(self):
        try:
            data = self.socket.recv(1 << 16)
        except ssl.SSLWantReadError:
            return
        except ConnectionResetError:
            self.say("reset by the server")
            self.over = True
            return
        self.over = not data
        self.owed -= len(data)
        if data:
            self.say("received %d bytes %r%s" % (len(data), data[:SHOWN], "..." if len(data) > SHOWN else ""))
        else:
            self.say("the server sent FIN")

    def send(self, data):
        left = memoryview(data)
        deadline = time.monotonic() + PATIENCE
        while left:
            sent = self.pump(deadline, left)
            left = left[sent:]
            if sent:
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() >= deadline:
                return self.fail("%d bytes were not sent: the server does not read" % len(left))
        self.say("sent %d bytes" % len(data))

    def receive(self, count):
        self.owed += count
        deadline = time.monotonic() + PATIENCE
        while self.owed > 0 and not self.over:
            if time.monotonic() >= deadline:
                return self.fail("%d bytes did not come within %g seconds" % (self.owed, PATIENCE))
            self.pump(deadline)
        if self.owed > 0:
            self.fail("%d bytes did not come: the server has ended" % self.owed)

    def receive_end(self):
        deadline = time.monotonic() + PATIENCE
        while not self.over:
            if time.monotonic() >= deadline:
                return self.fail("the server did not end within %g seconds" % PATIENCE)
            self.pump(deadline)

    def finish(self):
        if isinstance(self.socket, ssl.SSLSocket):
            # It would take the end of one direction for that of both.
            return self.say("FIN is left out: Python's ssl knows no half-closed connection")
        self.socket.shutdown(socket.SHUT_WR)
        self.say("sent FIN")

    def start_tls(self, name):
        self.selector.unregister(self.socket)
        self.socket.settimeout(PATIENCE)
        self.socket = trust.wrap_socket(self.socket, server_hostname=name)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ)
        self.say("started %s" % self.socket.version())

    def reset(self):
        # With SO_LINGER 0 closing sends RST.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()
        self.say("reset")

    def close(self):
        self.drop()
        self.say("closed")


def connect(number, host, port, tls=None):
    connections[number] = Connection(number, host, port, tls)


def run(number, step, *arguments):
    connection = connections[number]
    if connection.socket is None:
        return
    try:
        step(connection, *arguments)
    except OSError as error:
        connection.fail("%s: %s" % (step.__name__, error))


def send(number, data):
    """Sends these bytes."""
    run(number, Connection.send, data)


def receive(number, count):
    """Waits until as many bytes more have come."""
    run(number, Connection.receive, count)


def receive_end(number):
    """Waits until the server has ended."""
    run(number, Connection.receive_end)


def start_tls(number, name):
    """Goes on in TLS with the server of this name."""
    run(number, Connection.start_tls, name)


def finish(number):
    """Sends FIN; the server may still send."""
    run(number, Connection.finish)


def close(number):
    """Closes in both directions."""
    run(number, Connection.close)


def reset(number):
    """Closes with RST."""
    run(number, Connection.reset)


if len(sys.argv) not in (1, 3) or not all(port.isdigit() for port in sys.argv[2:]):
    sys.exit("usage: python3 %s [HOST PORT]" % sys.argv[0])
target = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else None

# What was recorded.
