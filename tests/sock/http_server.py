#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Serves the files of a folder by HTTP, and misbehaves for some names. http_server.py ADDRESS PORT FOLDER"""

import functools
import http.server
import sys
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        print("GET", self.path, flush=True)
        odd = {"/slow": self.be_slow, "/large": self.be_large, "/loop": self.be_loop,
               "/https": self.be_moved}.get(self.path.split(".")[0])
        if odd:
            odd()
        else:
            super().do_GET()

    def be_slow(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b"0")
            self.wfile.flush()
            time.sleep(0.1)

    def be_large(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"0" * 1024)

    def be_loop(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def be_moved(self):
        self.send_response(302)
        self.send_header("Location", "https://" + self.headers["Host"] + "/good.crl")
        self.end_headers()


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), functools.partial(
    Handler, directory=sys.argv[3])).serve_forever()
