"""What such a server usually is: Flask, SQLite, a template; the plain upload and the participant's page, nothing else."""
import os
import sqlite3
import time
import uuid

from flask import Flask, g, render_template, request

FOLDER = os.environ["BENCH_FOLDER"]
app = Flask(__name__, template_folder=".")
app.config["MAX_CONTENT_LENGTH"] = 13 << 20


def database() -> sqlite3.Connection:
    if "database" not in g:
        g.database = sqlite3.connect(os.path.join(FOLDER, "people.db"), timeout=20)
        g.database.row_factory = sqlite3.Row
    return g.database


@app.teardown_appcontext
def close(_: object) -> None:
    if "database" in g:
        g.database.close()


@app.get("/oj/<course>/<module>/<key>")
def page(course: str, module: str, key: str) -> tuple[str, int] | str:
    person = database().execute("select * from people where key = ?", (key,)).fetchone()
    if person is None:
        return "no such page\n", 404
    rows = database().execute("select * from submissions where person = ? order by received desc limit 50", (person["id"],)).fetchall()
    tests = database().execute("select * from tests where submission = ?", (rows[0]["id"] if rows else "",)).fetchall()
    return render_template("page.html", course=course, module=module, key=key, person=person, rows=rows, tests=tests)


@app.post("/upload")
def upload() -> tuple[str, int] | str:
    person = database().execute("select * from people where token = ?", (request.form["token"],)).fetchone()
    if person is None:
        return "[FAIL] no such token\n", 401
    name = uuid.uuid4().hex[:16]
    path = os.path.join(FOLDER, name)
    request.files["file"].save(path)
    received = time.strftime("%Y-%m-%d %H:%M:%S")
    with database():
        database().execute("insert into submissions values (?, ?, ?, ?, 'queued', null)",
                           (name, person["id"], received, os.path.getsize(path)))
    return f"[SUCC] Received {name} at {received}\n"
