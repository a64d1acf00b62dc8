"""A headless Chromium, spoken to over a pipe (the DevTools protocol), with no other library.

    with Browser(folder, zone="UTC") as browser:
        tab = browser.tab()
        tab.go(url)
        tab.click("button")
        tab.wait("document.querySelector('.done')", "it is done")

Every wait has a deadline; what does not come is an AssertionError that says what was waited for and what the page shows.
"""
import json
import os
import select
import subprocess
import time
from pathlib import Path

WAIT_S = 30
ANSWER_S = 30
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--disable-default-apps", "--no-default-browser-check", "--disable-features=Translate,OptimizationHints",
         "--password-store=basic", "--no-proxy-server", "--remote-debugging-pipe"]


class Browser:
    def __init__(self, folder: Path, language: str = "en-US", zone: str = "UTC"):
        to_read, self.to_write = os.pipe()
        self.to_take, to_say = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4.
        self.child = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_say}', "browser", "chromium", *FLAGS,
             f"--user-data-dir={folder / 'profile'}", f"--lang={language}", f"--accept-lang={language}", "about:blank"],
            pass_fds=(to_read, to_say), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"TZ": zone, "HOME": str(folder)})
        os.close(to_read)
        os.close(to_say)
        self.buffer = b""
        self.count = 0
        self.events: list[dict] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close")
            self.child.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.child.kill()
            self.child.wait()

    def _message(self, deadline: float) -> dict:
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.to_take], [], [], left)[0], "the browser does not answer"
            read = os.read(self.to_take, 1 << 20)
            assert read, "the browser has ended"
            self.buffer += read
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.to_write, rest):]
        deadline = time.monotonic() + ANSWER_S
        while True:
            answer = self._message(deadline)
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise Refused(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def tab(self, scripts: bool = True) -> "Tab":
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        tab = Tab(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Log", "DOM"):
            tab.call(f"{domain}.enable")
        if not scripts:
            tab.call("Emulation.setScriptExecutionDisabled", value=True)
        return tab


class Refused(Exception):
    """The browser could not do it, for example because the page was just leaving."""


class Tab:
    def __init__(self, browser: Browser, session: str):
        self.browser, self.session = browser, session
        self.size(1280, 900)

    def call(self, method: str, **parameters: object) -> dict:
        return self.browser.call(method, self.session, **parameters)

    def size(self, width: int, height: int, phone: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)

    def scheme(self, name: str) -> None:
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def go(self, url: str) -> None:
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer.get('errorText')}"
        self.wait(f"location.href.split('#')[0] === {json.dumps(url.split('#')[0])} && document.readyState === 'complete'", f"{url} is loaded")

    def value(self, expression: str) -> object:
        """Of an expression, in the page; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def wait(self, expression: str, what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                if self.value(f"Boolean({expression})"):
                    return
            except Refused:  # The page is changing under us.
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {WAIT_S} s: {what}\n{self.value('location.href + document.body.innerText')}")
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        return str(self.value(f"(document.querySelector({json.dumps(selector)}) || {{innerText: '(not there)'}}).innerText"))

    def click(self, selector: str) -> None:
        """As a mouse does: in the middle of what is seen."""
        place = self.value(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            if (!element) return null;
            element.scrollIntoView({{block: "center"}});
            const box = element.getClientRects()[0];
            return box && [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        assert place, f"there is no {selector} to click"
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        code, text = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}[key]
        name = " " if key == "Space" else key
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, code=key, windowsVirtualKeyCode=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def choose(self, selector: str, file: Path) -> None:
        """A file, as the chooser would hand it over."""
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)

    def picture(self, file: Path, whole: bool = True) -> None:
        import base64
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))

    def complaints(self) -> list[str]:
        """What the console of this tab has to say: errors of scripts, refusals of the policy."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"]["exception"].get("description", "an exception"))
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["source"] in ("security", "javascript"):
                found.append(event["params"]["entry"]["text"])
        return found
