"""Sends one message through a relay, waits for an answer, and takes the allocation back.

    python hello.py turn:HOST[:PORT] USERNAME PASSWORD PEER-IP PEER-PORT

Needs wasmtime: pip install -r requirements.txt
"""

import asyncio
import sys

import turnwasm


class Hello(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, addr):
        if not self.answer.done():
            self.answer.set_result((data, addr))


async def main(server, username, password, host, port):
    transport, hello = await turnwasm.create_turn_endpoint(Hello, server, username=username, password=password)
    try:
        print("peers see us as", transport.get_extra_info("sockname"))
        transport.sendto(b"hello", (host, int(port)))
        print("answer:", await asyncio.wait_for(hello.answer, 5))
    except asyncio.TimeoutError:
        print("no answer")
    finally:
        closed = await transport.aclose(linger=2)
        print("closed", closed.outcome)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
