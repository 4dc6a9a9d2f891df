"""A Hugging Face Hub on loopback with one dataset, as much of it as the real client asks for."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
from urllib.parse import urlsplit

COMMIT = "a" * 40


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        name, files = self.server.dataset, self.server.files
        path = urlsplit(self.path).path
        if found := re.fullmatch(f"/datasets/{name}/resolve/[^/]+/(.+)", path):
            self._file(files.get(found[1]))
        elif re.fullmatch(f"/api/datasets/{name}(/revision/[^/]+)?", path):
            siblings = [{"rfilename": file} for file in files]
            self._send(200, {"id": name, "sha": COMMIT, "private": False, "siblings": siblings})
        elif path.startswith(f"/api/datasets/{name}/tree/"):
            self._send(
                200,
                [
                    {"type": "file", "path": file, "size": len(data), "oid": _digest(data)}
                    for file, data in files.items()
                ],
            )
        else:
            self._send(404, {}, {"x-error-code": "RepoNotFound"})

    do_GET = do_HEAD = do_POST = answer

    def _file(self, data):
        if data is None:
            self._send(404, {}, {"x-error-code": "EntryNotFound", "x-repo-commit": COMMIT})
            return
        told = {"x-repo-commit": COMMIT, "etag": f'"{_digest(data)}"', "accept-ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range") or "")
        first, last = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data))
        if self.server.breaks_at is not None and last > self.server.breaks_at:
            self.close_connection = True  # and not a word
            return
        if asked:
            told["content-range"] = f"bytes {first}-{last}/{len(data)}"
        self._send(206 if asked else 200, data[first : last + 1], told)

    def _send(self, status, found, headers=()):
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        for key, value in {**dict(headers), "content-length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _digest(data):
    return hashlib.sha1(data).hexdigest()


@contextlib.contextmanager
def hub(dataset, files, breaks_at=None):
    """The address of a Hub that holds `dataset`; it breaks off where a file is read further than
    `breaks_at` bytes."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.dataset, server.files, server.breaks_at = dataset, files, breaks_at
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
