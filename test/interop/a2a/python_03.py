"""The official Python SDK for A2A 0.3 with its defaults: what it holds at the end of a question."""

import asyncio
import json
import sys
import uuid

from a2a.client import ClientFactory
from a2a.types import Message, Part, Role, TaskQueryParams, TextPart


def text_of(artifacts) -> str:
    return "".join(part.root.text for artifact in artifacts or [] for part in artifact.parts if part.root.kind == "text")


async def main() -> None:
    url, question = sys.argv[1:]
    client = await ClientFactory.connect(url)
    message = Message(message_id=str(uuid.uuid4()), role=Role.user, parts=[Part(root=TextPart(text=question))])
    task = None
    async for event in client.send_message(message):
        task = event[0]
    stored = await client.get_task(TaskQueryParams(id=task.id))
    held = {"state": task.status.state.value, "streamed": text_of(task.artifacts), "stored": text_of(stored.artifacts)}
    print(json.dumps([held]))


asyncio.run(main())
