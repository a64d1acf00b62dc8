import os
import subprocess
import sys
from pathlib import Path

from browser import Browser, Tab

URL, *TOKENS = sys.argv[1:]
WORK = Path(os.environ["WORK"])
PHONE = (390, 844)


def queue(word: str) -> None:
    subprocess.run([os.environ["ASSAY"], "queue", word, "ICS2024", "hello", "--data", WORK / "data"], check=True, stdout=sys.stderr)


def said(line: str) -> None:
    print(line, flush=True)


def open_page(tab: Tab, token: str) -> str:
    tab.go(URL + "/")
    tab.click("#token")
    tab.type(token)
    tab.press("Enter")
    tab.wait("document.querySelector('.tiles a')", "the modules are listed")
    tab.click(".tiles a[href*='/hello/']")
    tab.wait("document.readyState === 'complete' && document.querySelector('#hand-in')", "the module's page has its form")
    return str(tab.value("location.href"))


def fits(tab: Tab, what: str) -> None:
    wide = tab.value("document.scrollingElement.scrollWidth")
    assert wide <= PHONE[0], f"{what} is {wide} px wide"


def with_script(browser: Browser) -> None:
    tab = browser.tab()
    open_page(tab, TOKENS[0])
    tab.value("window.stayed = true; document.querySelector('#score').dataset.seen = '1'; 1")

    # What is no archive is refused where the form is, and the page stays.
    tab.click("#token")
    tab.type(TOKENS[0])
    tab.choose("#file", WORK / "notes.txt")
    tab.click("#hand-in button")
    tab.wait("document.querySelector('#refused').textContent", "the refusal is said")
    assert "not an archive" in tab.text("#refused"), tab.text("#refused")
    said("refused beside the form")

    # Held back, so that it is seen waiting; its reason is told, and the form stays usable.
    queue("pause")
    tab.choose("#file", WORK / "wrong.tar.bz2")
    tab.click("#hand-in button")
    tab.wait("document.querySelector('#received')", "the receipt is told")
    tab.wait("document.querySelector('.why')", "why it waits is told")
    assert "module_paused" in tab.text(".why"), tab.text(".why")
    assert tab.value("document.querySelector('#file').value") == ""
    said("waits, and says why")

    tab.value("""(() => {
        window.states = [];
        new MutationObserver(() => {
            const badge = document.querySelector('.submission .badge').textContent.slice(1);
            if (window.states.at(-1) !== badge) window.states.push(badge);
        }).observe(document.body, {subtree: true, childList: true, characterData: true});
        document.querySelector('#token').focus();
    })()""")
    queue("resume")
    tab.wait("document.querySelector('#score strong')", "the verdict is there")
    assert "failed" in tab.value("window.states.at(-1)"), tab.value("window.states")
    kept = tab.value("[document.activeElement.outerHTML.slice(0, 200), document.querySelector('#token').value.length]")
    assert 'id="token"' in kept[0] and kept[1] > 0, kept
    assert tab.value("window.stayed === true"), "the page was loaded anew"
    said("the verdict comes without a reload; the form keeps what was typed")

    # What is open stays open while the next one comes in above it.
    tab.click(".below:has(.differs) summary")
    tab.wait("document.querySelector('.below details[open] .pair mark')", "expected and got stand side by side, the difference marked")
    boxes = tab.value("[...document.querySelectorAll('.below details[open] .pair > div')].map(e => e.getBoundingClientRect().y)")
    assert boxes[0] == boxes[1], boxes
    tab.choose("#file", WORK / "right.tar.bz2")
    tab.click("#hand-in button")
    tab.wait("document.querySelector('#score strong') && document.querySelectorAll('.submission .badge.good').length > 1", "the better one is graded")
    tab.wait("document.querySelectorAll('.submission').length === 2", "both are listed")
    assert tab.value("document.querySelectorAll('.submission')[1].querySelector('details[open]') !== null"), "the open details were closed"
    assert tab.value("window.stayed === true")
    said("a second submission joins the first")

    # The other language in its place.
    tab.click("#token")
    before = tab.value("document.querySelector('#token').value")
    tab.value("scrollTo(0, 300)")
    in_view = "document.elementFromPoint(innerWidth / 2, 20).closest('[id]').id"
    place = tab.value(in_view)
    tab.value("document.querySelector('a.language').click()")
    tab.wait("document.documentElement.lang === 'zh-CN'", "the page is Chinese")
    assert tab.text("#score-title") == "你的得分", tab.text("#score-title")
    assert "lang=zh" in str(tab.value("location.href"))
    assert tab.value(in_view) == place, (tab.value(in_view), place)
    assert tab.value("document.querySelector('#token').value") == before, (before, tab.value("document.querySelector('#hand-in').innerHTML"))
    assert tab.value("window.stayed === true")
    assert "当地时间" in tab.text("dl .own-time, .facts .own-time"), "the reader's own time"
    tab.go(str(tab.value("location.href")))
    assert tab.value("document.documentElement.lang") == "zh-CN"
    said("the other language in its place")

    for language in ("zh", "en"):
        tab.size(*PHONE, phone=True)
        for path in (str(tab.value("location.pathname")), "/"):
            tab.go(f"{URL}{path}?lang={language}")
            fits(tab, f"{path} in {language}")
            tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
            fits(tab, f"{path} in {language}, opened")
            if path == "/":
                break
            page = path
        tab.go(f"{URL}{page}?lang={language}")
    said("no sideways scrolling on a phone")
    assert not tab.complaints(), tab.complaints()


def without_script(browser: Browser) -> None:
    tab = browser.tab(scripts=False)
    open_page(tab, TOKENS[1])
    tab.click("#token")
    tab.type(TOKENS[1])
    tab.choose("#file", WORK / "notes.txt")
    tab.click("#hand-in button")
    tab.wait("document.querySelector('[role=alert]') && document.querySelector('a.button')", "the page of a refusal")
    assert "not an archive" in tab.text("[role=alert]")
    tab.click("a.button")
    tab.wait("document.querySelector('#hand-in')", "back at the form")
    tab.click("#token")
    tab.type(TOKENS[1])
    tab.choose("#file", WORK / "right.tar.bz2")
    tab.click("#hand-in button")
    tab.wait("location.search.includes('submitted=') && document.querySelector('#received')", "received")
    tab.wait("document.querySelector('#score .badge.good')", "the page reloads itself until the verdict is there")
    said("without scripts: refused, handed in, graded")


# Tab, Enter and letters alone; wherever the focus is, it is seen.
def by_keyboard(browser: Browser) -> None:
    tab = browser.tab()

    def to(selector: str) -> None:
        for _ in range(60):
            tab.press("Tab")
            seen = tab.value("(e => e === document.body || getComputedStyle(e).outlineStyle !== 'none' && e.getBoundingClientRect().width > 1)"
                             "(document.activeElement)")
            assert seen, "the focus cannot be seen on " + str(tab.value("document.activeElement.outerHTML"))
            if tab.value(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    tab.go(URL + "/")
    to(".skip")
    tab.press("Enter")
    to("#token")
    tab.type(TOKENS[2])
    tab.press("Enter")
    tab.wait("document.querySelector('.tiles a')", "the modules are listed")
    to(".tiles a[href*='/hello/']")
    tab.press("Enter")
    tab.wait("document.readyState === 'complete' && document.querySelector('#hand-in')", "the form")
    to("#token")
    tab.type(TOKENS[2])
    to("#file")
    tab.choose("#file", WORK / "wrong.tar.bz2")
    to("#hand-in button")
    tab.press("Enter")
    tab.wait("document.querySelector('#score strong') && document.querySelector('.submission .below summary')", "graded")
    to(".below summary")
    tab.press("Enter")
    tab.wait("document.querySelector('.below details[open]')", "details open by Enter")
    to("pre")
    said("by the keyboard alone")


with Browser(WORK, zone="America/New_York") as browser:
    with_script(browser)
    without_script(browser)
    by_keyboard(browser)
