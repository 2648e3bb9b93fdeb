#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A serial line between the terminal that this runs in and COMMAND.

Usage: serial.py BAUD RESTS COMMAND...

It carries BAUD / 10 bytes a second each way and says no size, as such lines do. RESTS is a file that has the number of
times that nothing was to be carried for a while: none, when the command writes more than the line can carry.
Exit status: that of the command.
"""
import os
import pty
import select
import sys
import termios
import time
import tty

TICK_S = 1 / 50
REST_S = 0.2


def set_speed(fd, baud):
    mode = termios.tcgetattr(fd)
    mode[4] = mode[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(fd, termios.TCSANOW, mode)


def carry(line, baud, rests_file):
    """Until the other end is closed."""
    many = max(1, round(baud / 10 * TICK_S))
    last, rests, resting = None, 0, False
    inputs = [line, 0]
    while True:
        ready = select.select(inputs, [], [], REST_S)[0]
        if 0 in ready:
            keys = os.read(0, many)
            if keys:
                os.write(line, keys)
            else:
                inputs.remove(0)
        now = time.monotonic()
        if line in ready:
            try:
                said = os.read(line, many)
            except OSError:     # what Linux says at the end of a terminal
                return
            if not said:
                return
            os.write(1, said)
            last, resting = now, False
            time.sleep(TICK_S)  # what it takes to carry them
        elif last is not None and not resting and now - last >= REST_S:
            rests, resting = rests + 1, True
            with open(rests_file, "w", encoding="ascii") as file:
                file.write(f"{rests}\n")


def main(baud, rests_file, *command):
    with open(rests_file, "w", encoding="ascii") as file:
        file.write("0\n")
    pid, line = pty.fork()
    if not pid:
        set_speed(0, baud)
        os.execv(command[0], command)
    before = termios.tcgetattr(0) if os.isatty(0) else None
    if before:
        tty.setraw(0)
    try:
        carry(line, int(baud), rests_file)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSADRAIN, before)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
