"""The child of the test of commands on a full disk: ``python -m tests.faults.full_commands FOLDER EXPORT [miser]``, on a small tmpfs; what each command
answered, as JSON. ``miser``: the control, a program that never gives its reserve up.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from pathlib import Path

from desktop.commands import outbox
from sync.blobs import Blobs
from tests.emulators.records import OneKey, Room, new_recipient, open_room
from tests.faults.filler import KEY


def main() -> None:
    folder, told = Path(sys.argv[1]), dict[str, object]()
    os.environ["HALL_INTAKE_HOME"] = str(folder)
    outbox.KeyCabinet = lambda: OneKey(KEY)  # type: ignore[assignment, misc]
    to = new_recipient("test")[1]
    with open_room(folder, KEY, to) as room:
        Blobs(folder / "blobs", room=0, reserve=5 * 1024 * 1024).prepare()
        record_id = Room(room.store, room.blobs, to).keep(1)
    with (folder / "rubbish").open("wb", buffering=0) as rubbish, contextlib.suppress(OSError):
        while rubbish.write(bytes(4096)) == 4096:
            pass
    if "miser" in sys.argv:
        Blobs.spare_room = lambda self, needed=0: None  # type: ignore[method-assign]
    told["free"] = os.statvfs(folder).f_bavail
    for act in (("list",), ("show", record_id), ("retry", record_id), ("verify",), ("export", "--without-key", sys.argv[2])):
        parser = argparse.ArgumentParser()
        outbox.add_arguments(parser)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
            code = outbox.run(parser.parse_args(act))
        told[act[0]] = code or err.getvalue()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
