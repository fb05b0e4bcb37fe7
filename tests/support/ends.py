"""A program at one end of a tap: sends, waits until its peer's kernel has everything, says so, and stays.

usage: ends.py connect|listen ADDRESS PORT SENDS TAKES, where TAKES bytes have to wait unread
"""
import fcntl
import signal
import socket
import struct
import sys
import termios
import time

# A shell may have started all of this in the background, where Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.SIG_DFL)
how, address, port, sends, takes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
if how == "connect":
    stream = socket.create_connection((address, port))
else:
    listener = socket.create_server((address, port))
    print("listening", listener.getsockname()[1], flush=True)
    stream, _ = listener.accept()
stream.sendall(bytes((at * 31 + at // 251) % 256 for at in range(sends)))
while struct.unpack("i", fcntl.ioctl(stream, termios.TIOCOUTQ, b"\0\0\0\0"))[0] > 0:
    time.sleep(0.005)
if takes:
    stream.recv(takes, socket.MSG_PEEK | socket.MSG_WAITALL)
print("ready", flush=True)
while True:
    signal.pause()
