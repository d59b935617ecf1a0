#!/usr/bin/env python3
"""More pins than chunks: the next wait in order, until their deadline; read() goes past the cache."""

from support.fault import KiB, Scratch, check, made_up, wait_for

CHUNK = 64 * KiB
ROOM = 4


def main() -> None:
    with Scratch() as here:
        content = made_up(16 * CHUNK)
        path = here.file("data", content)

        def piece(chunk: int) -> bytes:
            return content[chunk * CHUNK : (chunk + 1) * CHUNK]

        options = ("--chunk-size", CHUNK, "--memory", ROOM * CHUNK + 128 * KiB)
        probe = here.probe(*options)
        probe.open("f", path)
        for chunk in range(ROOM):
            probe.get("f", chunk * CHUNK, CHUNK, f"pin{chunk}").has(piece(chunk))
        first = probe.ask("get", "f", ROOM * CHUNK, CHUNK, "first")
        second = probe.ask("get", "f", (ROOM + 1) * CHUNK, CHUNK, "second")
        wait_for(lambda: probe.statistics()["cache"]["waiting"] == 2, "two that wait")
        probe.drop("pin2")
        probe.answer(first).has(piece(ROOM))
        check(not probe.answered(second), "the second was to wait for another chunk")
        probe.drop("pin0")
        probe.answer(second).has(piece(ROOM + 1))
        probe.read("f", 0, 3 * CHUNK).has(content[: 3 * CHUNK])
        probe.finish()

        probe = here.probe(*options, "--pin-deadline", "50ms")
        probe.open("f", path)
        for chunk in range(ROOM):
            probe.get("f", chunk * CHUNK, CHUNK, f"pin{chunk}").has(piece(chunk))
        probe.get("f", ROOM * CHUNK, CHUNK).fails_as("every chunk is pinned")
        probe.read("f", 7 * CHUNK + 5, 2 * CHUNK).has(content[7 * CHUNK + 5 : 9 * CHUNK + 5])
        check(probe.statistics()["cache"]["bypasses"] > 0, "nothing went past the cache")
        check(probe.statistics()["buffers"]["mapped_bytes"] <= ROOM * CHUNK, "the budget was exceeded")
        probe.finish()


main()
