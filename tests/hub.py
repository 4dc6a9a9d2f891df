"""A Hugging Face Hub on loopback with one dataset or model, as much of it as the real client asks
for."""

import base64
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
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        name, files, kind = self.server.name, self.server.files, self.server.kind
        path = urlsplit(self.path).path
        before = "" if kind == "models" else f"/{kind}"
        if found := re.fullmatch(f"{before}/{name}/resolve/[^/]+/(.+)", path):
            self._file(files.get(found[1]))
        elif re.fullmatch(f"/api/{kind}/{name}(/revision/[^/]+)?", path):
            siblings = [{"rfilename": file} for file in files]
            found = {"id": name, "sha": COMMIT, "private": self.server.private}
            self._send(200, found | {"siblings": siblings})
        elif path.startswith(f"/api/{kind}/{name}/tree/"):
            self._send(
                200,
                [
                    {"type": "file", "path": file, "size": len(data), "oid": _digest(data)}
                    for file, data in files.items()
                ],
            )
        elif path == "/api/whoami-v2":
            known = self.headers.get("authorization", "").endswith("hf_secret")
            self._send(200 if known else 401, {"name": "user"})
        elif self.command == "POST" and self.server.open:
            self._receive(path, sent)
        else:
            self._send(404, {}, {"x-error-code": "RepoNotFound"})

    def _receive(self, path, sent):
        """What a client sends to make a repository, and to commit to it."""
        if "authorization" not in self.headers:
            self._send(401, {})
            return
        where = f"/api/{self.server.kind}/{self.server.name}"
        here = f"http://{self.headers['host']}"
        lines = [json.loads(line) for line in sent.splitlines()]
        if path == "/api/repos/create":
            if self.server.private is None:  # it is new
                self.server.private = lines[0].get("visibility") == "private"
            self._send(200, {"url": f"{here}/{self.server.name}", "id": self.server.name})
        elif path == "/api/validate-yaml":
            self._send(200, {"errors": [], "warnings": []})
        elif path == f"{where}/preupload/main":
            asked = [file["path"] for file in lines[0]["files"]]
            modes = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in asked]
            self._send(200, {"files": modes})
        elif path == f"{where}/commit/main" and self.server.breaks_at is None:
            for line in lines:
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.files[line["value"]["path"]] = content
                elif line["key"] == "deletedFile":
                    del self.server.files[line["value"]["path"]]
            self._send(
                200,
                {
                    "commitUrl": f"{here}/{self.server.name}/commit/{COMMIT}",
                    "commitOid": COMMIT,
                    "success": True,
                },
            )
        else:
            self._send(500, {})

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
def hub(name, files, breaks_at=None, kind="datasets", open=False, private=False):
    """The address of a Hub that holds one dataset, or one of the `kind` "models"; it breaks off
    where a file is read further than `breaks_at` bytes. open: whether it takes commits. private:
    whether its owner alone sees it; None: it is still to be made."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.name, server.files, server.kind = name, files, kind
    server.breaks_at, server.open, server.private = breaks_at, open, private
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
