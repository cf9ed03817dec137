"""A checker of TURN servers, and the tests that every host of the module passes.

    python quickstart.py [-module FILE] check -server URI -username U -password P -peer IP:PORT [-count N]
    python quickstart.py [-module FILE] transcripts FILE
    python quickstart.py [-module FILE] leaks
    python quickstart.py [-module FILE] bad-input [-trap FILE]

It prints JSON lines. Exit status: 0 = all well, 1 = it failed (and why), 2 = usage. hello.py is where to begin reading.
"""

import time

START = time.perf_counter()  # what is imported counts

import argparse  # noqa: E402
import asyncio  # noqa: E402
import sys  # noqa: E402

import turnwasm  # noqa: E402
from play import bad_input, check, leaks, transcripts  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A checker of TURN servers.", allow_abbrev=False)
    module = argparse.ArgumentParser(add_help=False)
    module.add_argument(
        "-module", metavar="FILE", help="turn.wasm; else that of $TURNWASM_MODULE, or the repository's", default=argparse.SUPPRESS
    )
    parser.add_argument("-module", metavar="FILE", default=None, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("check", parents=[module], help="allocate, echo, close")
    for flag in ("-server", "-username", "-password", "-peer"):
        one.add_argument(flag, required=True)
    one.add_argument("-count", type=int, default=200)
    commands.add_parser("transcripts", parents=[module], help="replay what was recorded").add_argument("file")
    commands.add_parser("leaks", parents=[module], help="clients and instances in turn")
    commands.add_parser("bad-input", parents=[module], help="what no caller should do").add_argument("-trap", metavar="FILE")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    try:
        module = turnwasm.Module.load(args.module)
        if args.command == "check":
            peer = check.address(args.peer)
            well = asyncio.run(check.run(module, args.server, args.username, args.password, peer, args.count, START))
        elif args.command == "transcripts":
            well = transcripts.replay(module, args.file)
        elif args.command == "leaks":
            well = leaks.check(module)
        else:
            well = asyncio.run(bad_input.run(module, args.trap))
    except (turnwasm.TurnError, OSError, ValueError, asyncio.TimeoutError) as e:
        print("quickstart:", str(e) or repr(e), file=sys.stderr)
        return 1
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
