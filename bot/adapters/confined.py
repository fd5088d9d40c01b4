"""A small program that puts itself under limits and off the network, and then becomes another program.

Run as `python -I -S confined.py MEMORY SECONDS FILE PROGRAM ARGUMENT...`: bytes of data, processor seconds, bytes of any file written.
Imports nothing of the bot. Where the kernel forbids a network namespace, it goes on: the environment's proxies lead nowhere then.
"""

import ctypes
import os
import resource
import signal
import sys

NEW_USER, NEW_NET = 0x10000000, 0x40000000
SET_PDEATHSIG, SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    memory, seconds, file = (int(argument) for argument in sys.argv[1:4])
    for kind, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 1024),
    ):
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(NEW_USER | NEW_NET) != 0:
        libc.unshare(NEW_NET)
    os.execve(sys.argv[4], sys.argv[4:], dict(os.environ))  # noqa: S606


if __name__ == "__main__":
    main()
