"""A Quart-trio application with a page that lists what runs wait to be told, and takes the answers."""

from html import escape
from pathlib import Path

from quart import request
from quart_trio import QuartTrio

import flowscript_trio as fs

app = QuartTrio(__name__)
app.config["STORE"] = "runs.db"
flow = fs.load(Path(__file__).with_name("release.xml"))


@app.before_serving
async def work():
    """Runs go on while the server lives, and are left for the next one when it stops, or dies."""
    app.store = fs.Store(app.config["STORE"])
    await app.store.make()
    app.nursery.start_soon(fs.work, app.store)


@app.post("/release/<version>")
async def release(version):
    """Queues a run that is named by its version: a second request for the same one begins no second run."""
    await fs.submit(flow, store=app.store, run_id=version, config={"version": version})
    return {"run": version}, 202


@app.get("/")
async def index():
    """A form for each question of each run, with a button for each answer."""
    forms = []
    for run in await app.store.runs("running", "suspended"):
        for question in await app.store.questions(run.run_id):
            buttons = "".join(
                f'<button name="action" value="{escape(choice.id)}">{escape(choice.label)}</button>'
                for choice in question.choices
            )
            forms.append(
                f'<form method="post" action="/answer/{escape(run.run_id)}/{escape(question.key)}">'
                f'{escape(question.prompt)} <input name="who"> {buttons}</form>'
            )
    return "".join(forms) or "nothing to decide"


@app.post("/answer/<run_id>/<path:key>")
async def answer(run_id, key):
    """The form that somebody sent. The first answer stands."""
    form = await request.form
    who = form.get("who", "")
    try:
        reply = await app.store.answer(run_id, key, form.get("action", ""), input=who, by=who)
    except fs.InputError as exc:
        return escape(str(exc)), 404
    if not reply.taken:
        return escape(f"{reply.by} was first: {reply.action}"), 409
    return "thank you"


@app.get("/release/<run_id>")
async def outcome(run_id):
    """The state of a run: queued, running, suspended, completed, failed or cancelled."""
    try:
        state = await app.store.show(run_id)
    except fs.InputError as exc:
        return {"error": str(exc)}, 404
    return {"state": state.state}
