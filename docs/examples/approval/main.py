"""Asks for approval over channels, as a chat or a web page would: a question goes out, an answer comes in."""

import trio

import flowscript_trio as fs


class Desk:
    """Where questions wait for somebody. ``questions`` are those that nobody has answered yet."""

    def __init__(self):
        self.questions = {}

    async def decide(self, prompt, actions):
        """Ask, and wait for the answer; when the run no longer wants one, the question is taken back."""
        to_us, answers = trio.open_memory_channel(1)
        self.questions[prompt] = to_us
        try:
            return await answers.receive()
        finally:
            del self.questions[prompt]

    async def answer(self, prompt, action, person):
        await self.questions[prompt].send(fs.Answer(action, input=person))


async def release(flow, desk, version):
    """What became of the release, in words."""
    try:
        run = await fs.run(flow, config={"version": version}, decider=desk.decide)
    except fs.CheckpointRejected as exc:
        return "nobody answered" if exc.timed_out else "rejected"
    return run.output
