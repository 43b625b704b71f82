# SPDX-License-Identifier: GPL-2.0-or-later
"""resolver ADDRESS FOLDER: a name server. FOLDER/zone has lines "NAME TYPE VALUE...", read
anew for each question (A, AAAA, CNAME); FOLDER/manner, if there, says how to answer: lower or
upper (the question is repeated in that case), truncated, or slow (after four seconds)."""
import os
import socket
import struct
import sys
import threading
import time

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28}


def read_lines(path):
    try:
        with open(path, encoding="ascii") as f:
            return [line.split() for line in f if line.strip()]
    except FileNotFoundError:
        return []


def wire_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".")) + b"\0"


def record(name, kind, data):
    return wire_name(name) + struct.pack("!HHLH", TYPES[kind], 1, 60, len(data)) + data


def records(zone, name, kind):
    """What answers the question, aliases followed."""
    found = []
    for _ in range(8):
        alias = [line[2].lower() for line in zone if line[0].lower() == name and line[1] == "CNAME"]
        if not alias:
            break
        found.append(record(name, "CNAME", wire_name(alias[0])))
        name = alias[0]
    for line in zone:
        if line[0].lower() == name and line[1] in ("A", "AAAA") and TYPES[line[1]] == kind:
            family = socket.AF_INET if line[1] == "A" else socket.AF_INET6
            found += [record(name, line[1], socket.inet_pton(family, a)) for a in line[2:]]
    return found


def answer(sock, folder, question, client):
    manner = (read_lines(folder + "/manner") or [[""]])[0][0]
    zone = read_lines(folder + "/zone")
    end = question.index(b"\0", 12) + 5
    asked, kind = question[12:end - 4], struct.unpack("!H", question[end - 4:end - 2])[0]
    labels, at = [], 0
    while asked[at]:
        labels.append(asked[at + 1:at + 1 + asked[at]].decode().lower())
        at += asked[at] + 1
    name = ".".join(labels)
    known = any(line[0].lower() == name for line in zone)
    found, flags = records(zone, name, kind), 0x8180 if known else 0x8183
    if manner == "truncated":
        found, flags = [], flags | 0x0200
    elif manner == "slow":
        time.sleep(4)
    asked = {"lower": asked.lower(), "upper": asked.upper()}.get(manner, asked)
    sock.sendto(question[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + asked +
                question[end - 4:end] + b"".join(found), client)


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        question, client = sock.recvfrom(512)
        threading.Thread(target=answer, args=(sock, sys.argv[2], question, client), daemon=True).start()


if __name__ == "__main__":
    main()
