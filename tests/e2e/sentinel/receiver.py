"""Takes alerts: a line each, with the time. receiver.py LOG PORT-FILE"""
import http.server
import json
import sys
import time


class Robot(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        it = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[1], "a") as log:
            print(time.time(), it["kind"], it["parts"][0]["cause"], file=log)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Robot)
with open(sys.argv[2], "w") as file:
    print(server.server_address[1], file=file)
server.serve_forever()
