import json
import os
import subprocess
import sys
from pathlib import Path

from browser import Browser, Tab

AXE = Path(sys.argv[1]).read_text()
URL, TOKEN, KEY, CLOSED_KEY = sys.argv[2:]
WORK = Path(os.environ["WORK"])
PAGE = f"{URL}/oj/ICS2024/PA1/{KEY}"
scanned = 0


def queue(word: str) -> None:
    subprocess.run([os.environ["ASSAY"], "queue", word, "ICS2024", "PA1", "--data", WORK / "data"], check=True, stdout=sys.stderr)


def scan(tab: Tab, what: str) -> None:
    """As it is, light and dark, wide and narrow, everything that can be opened being open."""
    global scanned
    tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.value(AXE + "; 1")
    for scheme, width in (("light", 390), ("light", 1280), ("dark", 1280)):
        tab.scheme(scheme)
        tab.size(width, 900, phone=width < 600)
        found = json.loads(str(tab.value("""
            axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify(found.violations.map(one =>
                one.id + ": " + one.help + " " + one.nodes.map(node => node.html.slice(0, 200)).slice(0, 5).join(" | "))))""")))
        assert not found, f"{what}, {scheme}, {width} px:\n" + "\n".join(found)
        scanned += 1


def hand_in(tab: Tab, file: str) -> None:
    tab.click("#token")
    tab.value("document.querySelector('#token').value = ''")
    tab.type(TOKEN)
    tab.choose("#file", WORK / file)
    tab.click("#hand-in button")


with Browser(WORK, zone="America/New_York") as browser:
    tab = browser.tab()
    for language in ("en", "zh"):
        tab.go(f"{URL}/?lang={language}")
        scan(tab, "the start page")
    for language in ("en", "zh"):
        tab.go(f"{URL}/get?lang={language}")
        scan(tab, "the clients and lines")
    tab.go(URL + "/")
    tab.click("#token")
    tab.type("WRONG")
    tab.press("Enter")
    tab.wait("document.querySelector('[role=alert]')", "the token is refused")
    scan(tab, "the start page with a refusal")
    tab.go(URL + "/")
    tab.click("#token")
    tab.type(TOKEN)
    tab.press("Enter")
    tab.wait("document.querySelector('.tiles')", "the list of modules")
    scan(tab, "the list of modules")
    tab.go(URL + "/oj/ICS2024/PA1/none")
    scan(tab, "a page that is not there")
    tab.go(f"{URL}/oj/CLOSED/late/{CLOSED_KEY}")
    scan(tab, "a module that is closed")

    tab.go(PAGE)
    scan(tab, "a module with nothing handed in")
    hand_in(tab, "notes.txt")
    tab.wait("document.querySelector('#refused').textContent", "refused")
    scan(tab, "a refusal beside the form")
    hand_in(tab, "wrong.tar.bz2")
    tab.wait("document.querySelector('#score strong')", "graded")
    queue("pause")
    hand_in(tab, "broken.tar.bz2")
    tab.wait("document.querySelector('.why')", "the next one waits")
    scan(tab, "a module in which one is graded and one waits")
    queue("resume")
    tab.wait("!document.querySelector('.why, .badge.working') && document.querySelectorAll('.submission .log').length === 2", "both are graded")
    for language in ("en", "zh"):
        tab.go(f"{PAGE}?lang={language}")
        scan(tab, "a module in which both are graded")

    plain = browser.tab(scripts=False)
    plain.go(PAGE)
    hand_in(plain, "notes.txt")
    plain.wait("document.querySelector('[role=alert]') && document.querySelector('a.button')", "the page of a refusal")
    plain.call("Emulation.setScriptExecutionDisabled", value=False)
    scan(plain, "the page of a refusal")
print("nothing found" if scanned == 42 else f"{scanned} scans")
