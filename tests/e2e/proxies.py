"""The five reverse proxies of Debian, each on a free port of the loopback with a configuration of a few lines, as its package would
have it. Used by the cases that look at what stands before a server."""
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_S = 20.0
NAMES = ("nginx", "haproxy", "caddy", "apache2", "lighttpd")
PRODUCTS = {"nginx": "nginx", "haproxy": "HAProxy", "caddy": "Caddy", "apache2": "Apache httpd", "lighttpd": "lighttpd"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


class Proxy:
    """`limit`: bytes of a body, or what the package has; `silence_s`: how long it waits for the server, or what the package has."""

    def __init__(self, name: str, folder: Path, backend: int, limit: int | None = None, silence_s: int | None = None):
        self.name, self.backend, self.limit, self.silence_s = name, backend, limit, silence_s
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
        self.folder.chmod(0o777)  # Apache's workers give up root.
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.child: subprocess.Popen | None = None

    def __enter__(self) -> "Proxy":
        command = getattr(self, f"_{self.name}")()
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError as error:
                if self.child.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "log").read_text(errors="replace")
                    self.__exit__()
                    raise RuntimeError(f"{self.name} does not listen: {error}\n{said}") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, text: str) -> str:
        path = self.folder / "conf"
        path.write_text(text)
        return str(path)

    def _nginx(self) -> list[str]:
        limit = f"client_max_body_size {self.limit};" if self.limit else ""
        silence = f"proxy_read_timeout {self.silence_s}s;" if self.silence_s else ""
        temporary = "\n".join(f"{kind}_temp_path {self.folder}/temp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = self._write(f"""
            daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;
            events {{}}
            http {{ access_log off; {temporary}
              server {{ listen 127.0.0.1:{self.port}; {limit} {silence} location / {{ proxy_pass http://127.0.0.1:{self.backend}; }} }} }}
            """)
        return [program("nginx"), "-p", str(self.folder), "-c", path, "-e", "stderr"]

    def _haproxy(self) -> list[str]:
        limit = f"http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {self.limit} }}" if self.limit else ""
        path = self._write("\n".join([
            "defaults", "  mode http", "  timeout connect 5s", "  timeout client 50s", f"  timeout server {self.silence_s or 50}s",
            "frontend all", f"  bind 127.0.0.1:{self.port}", f"  {limit}", "  default_backend assay",
            "backend assay", f"  server one 127.0.0.1:{self.backend}", ""]))
        return [program("haproxy"), "-db", "-f", path]

    def _caddy(self) -> list[str]:
        limit = f"request_body {{\n max_size {self.limit}\n}}" if self.limit else ""
        silence = f"transport http {{\n response_header_timeout {self.silence_s}s\n}}" if self.silence_s else ""
        path = self._write(f"{{\n admin off\n auto_https off\n}}\nhttp://:{self.port} {{\nbind 127.0.0.1\n{limit}\n"
                           f"reverse_proxy 127.0.0.1:{self.backend} {{\n{silence}\n}}\n}}\n")
        return [program("caddy"), "run", "--config", path, "--adapter", "caddyfile"]

    def _apache2(self) -> list[str]:
        # LimitRequestBody does not hold for what is passed on; a rule like this one does.
        limit = f"""<If "%{{HTTP:Content-Length}} -gt {self.limit}">\nRedirect 413 /\n</If>""" if self.limit else ""
        silence = f"ProxyTimeout {self.silence_s}" if self.silence_s else ""
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                            for name in ("mpm_event", "authz_core", "alias", "proxy", "proxy_http", "reqtimeout"))
        path = self._write(f"{modules}\nServerRoot {self.folder}\nDefaultRuntimeDir {self.folder}\nPidFile pid\nErrorLog log\nServerName localhost\n"
                           f"User www-data\nGroup www-data\nListen 127.0.0.1:{self.port}\nRequestReadTimeout header=20-40,minrate=500 body=10,minrate=500\n"
                           f"{silence}\n<Location />\n{limit}\n</Location>\nProxyPass / http://127.0.0.1:{self.backend}/\n")
        return [program("apache2"), "-D", "FOREGROUND", "-f", path]

    def _lighttpd(self) -> list[str]:
        limit = f"server.max-request-size = {self.limit // 1024}\n" if self.limit else ""
        silence = f', "read-timeout" => {self.silence_s}' if self.silence_s else ""
        path = self._write(f'server.modules = ("mod_proxy")\nserver.document-root = "{self.folder}"\nserver.bind = "127.0.0.1"\n'
                           f'server.port = {self.port}\nserver.upload-dirs = ("{self.folder}")\nserver.errorlog = "{self.folder}/log"\n{limit}'
                           f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {self.backend}{silence})))\n')
        return [program("lighttpd"), "-D", "-f", path]
