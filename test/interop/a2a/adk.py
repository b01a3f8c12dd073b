"""Google's Agent Development Kit: what its session holds after a question to a remote agent."""

import asyncio
import json
import sys

from google.adk.agents.remote_a2a_agent import RemoteA2aAgent
from google.adk.runners import InMemoryRunner
from google.genai import types


async def main() -> None:
    url, question = sys.argv[1:]
    agent = RemoteA2aAgent(name="remote", agent_card=f"{url}/.well-known/agent-card.json")
    runner = InMemoryRunner(agent, app_name="interop")
    session = await runner.session_service.create_session(app_name="interop", user_id="user")
    content = types.Content(role="user", parts=[types.Part(text=question)])
    async for _ in runner.run_async(user_id="user", session_id=session.id, new_message=content):
        pass
    kept = await runner.session_service.get_session(app_name="interop", user_id="user", session_id=session.id)
    answers = [event for event in kept.events if event.author == "remote" and event.content]
    texts = ["".join(part.text or "" for part in event.content.parts) for event in answers]
    print(json.dumps([{"texts": [text for text in texts if text]}]))
    await runner.close()


asyncio.run(main())
