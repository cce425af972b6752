"""The API of ../greetings in another language, on Python's standard library alone.

python3 service.py [PORT] [--sloppy] prints the address that it listens on, a free port where
none is given. With --sloppy it forgets that a name has at most 20 characters.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

SLOPPY = "--sloppy" in sys.argv
PORT = next((int(arg) for arg in sys.argv[1:] if arg.isdigit()), 0)


class Greetings(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        match = re.fullmatch(r"/greetings/([^/]+)", url.path)
        if not match:
            return self.answer(404)
        try:
            name = unquote_to_bytes(match[1]).decode("utf-8")
        except UnicodeDecodeError:
            return self.answer(400)
        query = parse_qs(url.query, keep_blank_values=True)
        times = query.get("times", ["1"])[0]
        if not re.fullmatch("[1-3]", times) or len(name) > 20 and not SLOPPY:
            return self.answer(400)
        text = " ".join([f"Hello {name}!"] * int(times))
        self.answer(200, json.dumps({"text": text}).encode())

    def other(self):
        if re.fullmatch(r"/greetings/[^/]+", urlsplit(self.path).path):
            return self.answer(405)
        self.answer(404)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = other

    def answer(self, status, body=b""):
        # What is left of the request's body must not be taken for the next request.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        self.send_response(status)
        if status == 405:
            self.send_header("Allow", "GET")
        if body:
            self.send_header("Content-Type", "application/json")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # the default of 5 makes a client that opens several connections wait


if __name__ == "__main__":
    server = Server(("127.0.0.1", PORT), Greetings)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
