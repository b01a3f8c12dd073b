"""The official Python SDK for A2A 1.0 with its defaults: what it holds at the end of a question, for each binding."""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest


async def ask(url: str, question: str, binding: str | None) -> dict:
    config = ClientConfig() if binding is None else ClientConfig(supported_protocol_bindings=[binding])
    client = await ClientFactory(config).create_from_url(url)
    message = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, parts=[Part(text=question)])
    texts: dict[str, str] = {}
    task_id, state, last_chunks = "", 0, []
    async for event in client.send_message(SendMessageRequest(message=message)):
        kind = event.WhichOneof("payload")
        if kind == "task":
            task_id = event.task.id
        if kind == "artifact_update":
            update = event.artifact_update
            text = "".join(part.text for part in update.artifact.parts)
            before = texts.get(update.artifact.artifact_id, "") if update.append else ""
            texts[update.artifact.artifact_id] = before + text
            last_chunks.append(update.last_chunk)
        if kind == "status_update":
            state = event.status_update.status.state
    task = await client.get_task(GetTaskRequest(id=task_id))
    stored = "".join(part.text for artifact in task.artifacts for part in artifact.parts)
    await client.close()
    return {"state": state, "streamed": "".join(texts.values()), "stored": stored, "lastChunks": last_chunks}


async def main() -> None:
    url, question, *bindings = sys.argv[1:]
    held = [await ask(url, question, binding) for binding in bindings or [None]]
    print(json.dumps(held))


asyncio.run(main())
