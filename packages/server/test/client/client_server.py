"""Runs command lines of the OpenStack client, each in a fork of one process that has loaded the client's code already.

Loading it takes longer than anything the client does afterwards. A fork is as fresh as a process of its own: no command
sees what an earlier one left in memory.

Reads a line of JSON for each command: {"id", "program", "argv", "cwd", "env"}; writes {"id", "code", "out", "err"} when
it has ended. Several run at once. `./openstack.ts` is the other end.
"""
import json
import os
import signal
import sys
import tempfile
import threading

from openstackclient import shell as openstack
from zunclient import shell as zun

# Loaded late by the client; here once, for all forks.
import zunclient.osc.v1.availability_zones
import zunclient.osc.v1.capsules
import zunclient.osc.v1.containers
import zunclient.osc.v1.hosts
import zunclient.osc.v1.images
import zunclient.osc.v1.quota_classes
import zunclient.osc.v1.quotas
import zunclient.osc.v1.registries
import zunclient.osc.v1.services
import zunclient.v1.client
import zunclient.v1.shell

MOST_SECONDS = 60

PROGRAMS = {"openstack": openstack.main, "zun": zun.main}

answer_lock = threading.Lock()


def start(order):
    out = tempfile.TemporaryFile()
    err = tempfile.TemporaryFile()
    pid = os.fork()
    if pid == 0:
        become(order, out, err)
    threading.Thread(target=report, args=(order["id"], pid, out, err)).start()


def become(order, out, err):
    """Never returns."""
    code = 1
    try:
        signal.alarm(MOST_SECONDS)  # Nothing handles it: it ends the process.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        os.chdir(order["cwd"])
        os.environ.update(order["env"])
        sys.argv = [order["program"]] + order["argv"]
        code = PROGRAMS[order["program"]]() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def report(ident, pid, out, err):
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    said = {"id": ident, "code": code, "out": content(out), "err": content(err)}
    with answer_lock:
        os.write(1, (json.dumps(said) + "\n").encode())


def content(file):
    with file:
        file.seek(0)
        return file.read().decode(errors="replace")


def warm_up():
    """What every run does first, whatever the command: finds the plug-ins and builds the parser of all options."""
    saved = sys.stdout
    with open(os.devnull, "w") as nowhere:
        sys.stdout = nowhere
        openstack.main(["help", "appcontainer", "list"])
    sys.stdout = saved


warm_up()
for line in sys.stdin:
    start(json.loads(line))
