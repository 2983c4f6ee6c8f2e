"""Runs a program on a pseudo terminal, as it would run in a terminal window: client_terminal.py ROWS COLUMNS PROGRAM ...

Reads lines of JSON: {"keys": "text"} is typed, {"size": [rows, columns]} is a window made larger or smaller. What the
program writes comes out as it is; it ends as the program ends.
"""
import fcntl
import json
import os
import pty
import struct
import sys
import termios
import threading


def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def take_orders():
    for line in sys.stdin:
        order = json.loads(line)
        if "size" in order:
            resize(*order["size"])
        else:
            os.write(terminal, order["keys"].encode())


go, come = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.close(come)
    os.read(go, 1)  # The window has its size before the program looks.
    os.execvp(sys.argv[3], sys.argv[3:])
os.close(go)
resize(int(sys.argv[1]), int(sys.argv[2]))
os.close(come)
threading.Thread(target=take_orders, daemon=True).start()
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # Nobody has the other end open any more.
        break
    if not chunk:
        break
    os.write(1, chunk)
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
