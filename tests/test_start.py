"""What a start of the server does once: importing Gradio, settling what it made, listening."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_gradio_is_imported_without_looking_at_its_stubs_and_is_otherwise_the_same():
    code = """
import sys
from ui.gradiostart import without_stubs
with without_stubs():
    import gradio as gr
import gradio.component_meta as meta
assert meta.create_or_modify_pyi(object, "object", []) is None, "it would look for the source of a class"
assert not any(type(one).__module__ == "ui.gradiostart" for one in sys.meta_path)
with gr.Blocks() as blocks:
    box = gr.Textbox()
    box.submit(lambda text: text, box, box)
assert len(blocks.fns) == 1 and callable(gr.Button.click)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_what_a_start_made_is_settled_and_what_a_change_leaves_behind_is_not():
    code = """
import gc, weakref
from assistant.collector import changed, starting_up

class Cycle:
    def __init__(self):
        self.itself = self

with starting_up():
    assert not gc.isenabled()
    kept, gone = Cycle(), weakref.ref(Cycle())
    assert gone() is not None
assert gc.isenabled() and gone() is None and gc.get_freeze_count() > 1000
index = weakref.ref(kept)
del kept
gc.collect()
assert index() is not None, "it was settled"
changed(old_gone=True)
assert index() is None and gc.get_freeze_count() > 1000
changed(old_gone=False)
assert gc.get_freeze_count() == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_half_of_an_answer_waits_for_the_acknowledgement_of_the_other():
    """What uvicorn gets from :func:`assistant.serving.listen` sends at once: asyncio sees to it for TCP alone."""
    import asyncio
    import socket

    from assistant.serving import listen

    async def told(opened: socket.socket) -> int:
        without_delay: list[int] = []

        def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected = writer.get_extra_info("socket")
            without_delay.append(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(met, sock=opened):
            reader, writer = await asyncio.open_connection(*opened.getsockname())
            await reader.read()
            writer.close()
        return without_delay[0]

    with listen("127.0.0.1", 0) as opened:
        assert asyncio.run(told(opened)) == 1
