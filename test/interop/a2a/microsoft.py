"""Microsoft's Agent Framework: what its response holds after a question to a remote agent."""

import asyncio
import json
import sys

import httpx
from a2a.client import A2ACardResolver
from agent_framework_a2a import A2AAgent


async def main() -> None:
    url, question = sys.argv[1:]
    async with httpx.AsyncClient(timeout=60) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
    async with A2AAgent(name="remote", agent_card=card, url=url) as agent:
        response = await agent.run(question)
        pieces = [update.text async for update in agent.run(question, stream=True)]
        print(json.dumps([{"text": response.text, "pieces": [piece for piece in pieces if piece]}]))


asyncio.run(main())
