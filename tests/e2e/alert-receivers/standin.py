"""Stand-ins for the receivers of alerts: HTTP and HTTPS robots and a mail server with STARTTLS, each of which checks signature and
payload to the byte. Prints what it took, a line each, into the file named.

standin.py FOLDER LOG: FOLDER has cert.pem and key.pem. Writes the ports to FOLDER/ports when all listen."""
import base64
import hashlib
import hmac
import json
import pathlib
import ssl
import socketserver
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, LOG = pathlib.Path(sys.argv[1]), open(sys.argv[2], "a", buffering=1)
SECRET = b"sixteen bytes or more"
LOCK = threading.Lock()


def took(*words):
    with LOCK:
        print(*words, file=LOG)


def b64_hmac(key, message):
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def fresh(seconds):
    assert abs(time.time() - float(seconds)) < 60, f"a timestamp of {seconds}"


def canonical(data):
    """The bytes that the same values make, in the order in which they came."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def webhook(handler, url, body, data):
    stamp = handler.headers["Assay-Timestamp"]
    fresh(stamp)
    good = "sha256=" + hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert handler.headers["Assay-Signature"] == good, "the signature"
    assert list(data) == ["version", "id", "incident", "kind", "severity", "host", "cause", "title", "text", "since", "at", "ended",
                          "flapping", "parts", "harm"], list(data)
    assert handler.headers["Assay-Message-Id"] == data["id"]
    took("webhook", data["kind"], data["severity"], data["cause"], data["title"])
    return 200, b"taken"


def slack(handler, url, body, data):
    assert list(data) == ["text"]
    took("slack", data["text"].splitlines()[0])
    return 200, b"ok"


def feishu(handler, url, body, data):
    assert list(data) == ["timestamp", "sign", "msg_type", "content"], list(data)
    fresh(data["timestamp"])
    assert data["sign"] == b64_hmac(data["timestamp"].encode() + b"\n" + SECRET, b""), "the signature"
    assert data["msg_type"] == "text" and list(data["content"]) == ["text"]
    took("feishu", data["content"]["text"].splitlines()[0])
    return 200, b'{"code":0,"msg":"success","data":{}}'


def dingtalk(handler, url, body, data):
    query = urllib.parse.parse_qs(url.query)
    stamp = query["timestamp"][0]
    fresh(int(stamp) / 1000)
    assert query["access_token"] == ["abc"]
    sign = b64_hmac(SECRET, stamp.encode() + b"\n" + SECRET)
    assert query["sign"] == [sign] and "sign=" + urllib.parse.quote(sign, safe="") in url.query, "the signature"
    assert list(data) == ["msgtype", "markdown"] and data["msgtype"] == "markdown"
    assert list(data["markdown"]) == ["title", "text"]
    took("dingtalk", data["markdown"]["title"])
    return 200, b'{"errcode":0,"errmsg":"ok"}'


def wecom(handler, url, body, data):
    assert data == {"msgtype": "markdown", "markdown": {"content": data["markdown"]["content"]}}
    assert len(data["markdown"]["content"].encode()) <= 4096
    took("wecom", data["markdown"]["content"].splitlines()[0])
    return 200, b'{"errcode":0,"errmsg":"ok"}'


def refusing(handler, url, body, data):
    return 200, b'{"errcode":310000,"errmsg":"sign not match"}'


def ntfy(handler, url, body, data):
    assert handler.headers["Authorization"] == "Bearer " + SECRET.decode().replace(" ", "-")
    took("ntfy", handler.headers["X-Priority"], body.decode().splitlines()[0])
    return 200, b"{}"


ROBOTS = {f.__name__: f for f in (webhook, slack, feishu, dingtalk, wecom, refusing, ntfy)}


class Robot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = url.path.strip("/").split("/")[0]
        try:
            data = None
            if name != "ntfy":
                data = json.loads(body)
                assert canonical(data) == body, "not the bytes that its values make"
                assert self.headers["Content-Type"] == "application/json; charset=utf-8"
            status, answer = ROBOTS[name](self, url, body, data)
        except Exception as error:  # Whatever is wrong is shown where the case looks.
            took(name, "WRONG", repr(error), body[:300])
            status, answer = 400, b"wrong"
        self.send_response(status)
        if name == "slack":  # One of them answers in chunks.
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer), answer))
            return
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    """One conversation of RFC 5321 with STARTTLS and AUTH PLAIN; each step must come in its turn."""

    def say(self, *lines):
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def expect(self, wanted):
        line = self.rfile.readline().decode()
        assert line == wanted + "\r\n", (line, wanted)

    def handle(self):
        try:
            self.talk()
        except Exception as error:
            took("smtp", "WRONG", repr(error))

    def talk(self):
        self.say("220 mail.test ESMTP")
        self.expect("EHLO assay")
        self.say("250-mail.test", "250-SIZE 1000000", "250 STARTTLS")
        self.expect("STARTTLS")
        self.say("220 go ahead")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
        secured = tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = secured.makefile("rb"), secured.makefile("wb")
        self.expect("EHLO assay")
        self.say("250-mail.test", "250 AUTH PLAIN LOGIN")
        self.expect("AUTH PLAIN " + base64.b64encode(b"\0robot\0pass word").decode())
        self.say("235 2.7.0 welcome")
        self.expect("MAIL FROM:<assay@example.edu>")
        self.say("250 ok")
        for to in ("ann@example.edu", "ben@example.edu"):
            self.expect(f"RCPT TO:<{to}>")
            self.say("250 ok")
        self.expect("DATA")
        self.say("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert line.endswith(b"\r\n") and len(line) <= 1000, line
            lines.append(line[1:] if line.startswith(b".") else line)
        self.say("250 taken")
        self.expect("QUIT")
        self.say("221 bye")
        import email.policy
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert mail["From"] == "assay@example.edu" and mail["To"] == "ann@example.edu, ben@example.edu"
        assert abs(mail["Date"].datetime.timestamp() - time.time()) < 60, mail["Date"]
        assert mail["Message-ID"].endswith("@example.edu>") and mail.get_content().startswith(mail["Subject"])
        took("smtp", mail["Subject"])


class Threaded(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main():
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
    secure.socket = tls.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    mail = Threaded(("127.0.0.1", 0), Mail)
    for server in (plain, secure, mail):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    part = FOLDER / "ports.part"
    part.write_text(f"{plain.server_address[1]} {secure.server_address[1]} {mail.server_address[1]}\n")
    part.rename(FOLDER / "ports")
    threading.Event().wait()


main()
