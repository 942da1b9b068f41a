#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
exec python3 -c "$(cat <<'PYTHON'
import json, mmap, os, random, signal, socket, sys, threading, time

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def say(**told):
    print(json.dumps(told), flush=True)


def every(seconds):
    due = time.monotonic()
    while True:
        yield
        due += seconds
        time.sleep(max(0.0, due - time.monotonic()))


def spin():
    while True:
        pass


def hold(size):
    held = bytearray(size)
    held[::4096] = b"x" * len(held[::4096])
    with open("/tmp/read", "wb") as file:
        for _part in range(int(os.environ.get("CACHED_MIB", "150"))):
            file.write(bytes(1 << 20))
    for _tick in every(1.0):
        with open("/tmp/read", "rb") as file:
            while file.read(1 << 20):
                pass


def sink():
    server = socket.create_server(("", 7000))
    while True:
        peer, _where = server.accept()
        threading.Thread(target=lambda: [None for _piece in iter(lambda: peer.recv(1 << 16), b"")], daemon=True).start()


def source():
    peer = socket.create_connection((os.environ["SINK"], int(os.environ["PORT"])))
    sent = 0
    for tick in every(0.1):
        peer.sendall(bytes(300_000))
        sent += 300_000
        if sent % 3_000_000 == 0:
            say(sent=sent)


def write():
    size = 1 << 20
    buffer = mmap.mmap(-1, size)
    file = os.open("/written/file", os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
    written = 0
    for tick in every(0.25):
        os.pwrite(file, buffer, (written // size % 64) * size)
        written += size
        if written % (4 * size) == 0:
            say(written=written)


def measure():
    from kserve_client.measures import Recorder

    recorder, chance = Recorder(), random.Random(os.environ["HOSTNAME"])
    for tick in every(1.0):
        raw = [chance.lognormvariate(-4.0, 0.8) for _frame in range(60)]
        for value in raw:
            recorder.finished(value)
        line = recorder.line(time.time())
        say(raw=raw, **{**line, "fps": 60.0})


WORK = {"spin": spin, "hold": lambda: hold(int(sys.argv[2])), "sink": sink, "source": source, "write": write, "time": measure}
WORK[sys.argv[1]]()
PYTHON
)" "$@"
