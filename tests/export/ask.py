#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ask.py - questions of the export tier to servers on loopback and to files.

Usage:  ask.py get URL [HEADER:VALUE] [METHOD]  status, headers, an empty line, the body
        ask.py port                             a port that is free
        ask.py firing URL                       alerts of Prometheus that fire: name and labels, a line each
        ask.py value URL EXPRESSION             what Prometheus makes of it: "labels value" a line
        ask.py type URL METRIC                  of which type Prometheus holds it to be
        ask.py expressions FILE                 of a dashboard, with its variables filled in
        ask.py dashboard FILE                   what Grafana would not take, or would draw badly, a line each
        ask.py unknown FILE...                  metrics named there that the sources do not have
        ask.py hold HOST PORT COUNT             so many connections with half a request, until stdin ends

Exit status 0, or 1 with a sentence when there was no answer.
"""
import http.client
import json
import pathlib
import re
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request

LIMIT_S = 120


def api(url, path, **arguments):
    query = urllib.parse.urlencode(arguments)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=LIMIT_S) as answer:
        said = json.load(answer)
    if said["status"] != "success":
        raise ValueError(said)
    return said["data"]


def flat(labels):
    return " ".join(f"{name}={labels[name]}" for name in sorted(labels))


def get(url, header=None, method="GET"):
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=LIMIT_S)
    headers = dict([header.split(":", 1)]) if header else {}
    connection.request(method, where.path or "/", headers=headers)
    answer = connection.getresponse()
    print(answer.status)
    print(answer.headers, end="")
    print(answer.read().decode(), end="")


def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1])


def firing(url):
    for alert in api(url, "alerts")["alerts"]:
        if alert["state"] == "firing":
            print(alert["labels"]["alertname"], flat(alert["labels"]))


def value(url, expression):
    for sample in api(url, "query", query=expression)["result"]:
        print(flat(sample["metric"]), sample["value"][1])


def metric_type(url, metric):
    for entry in api(url, "metadata", metric=metric).get(metric, []):
        print(entry["type"])


def all_panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions(name):
    with open(name, encoding="utf-8") as file:
        for panel in all_panels(json.load(file)):
            for target in panel.get("targets", []):
                print(target["expr"].replace("$instance", ".*"))


def dashboard(name):
    with open(name, encoding="utf-8") as file:
        board = json.load(file)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    ids, cells = set(), set()
    for panel in all_panels(board):
        title, at = panel.get("title", ""), panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps([panel.get("datasource"), panel.get("targets")])))
        for wrong, what in ((not title, "has no title"), (panel["id"] in ids, "has the id of another"),
                            (mine & cells, "lies on another"), (at["x"] + at["w"] > 24, "is beyond the 24 columns"),
                            ("datasource" not in used, "is bound to the source of one Grafana"),
                            (used - variables, f"uses what is no variable: {sorted(used - variables)}")):
            if wrong:
                print(f"panel {panel['id']} '{title}' {what}")
        ids.add(panel["id"])
        cells |= mine


def unknown(*names):
    top = pathlib.Path(__file__).resolve().parents[2]
    sources = "".join(path.read_text() for path in (top / "userspace").glob("metrics*.c"))
    known = set(re.findall(r'"(headway_[a-z_]+)"', sources))
    known |= {f"headway_domain_{label}" for label in re.findall(r"(?:COUNTED|NOW)\((\w+),", sources)}
    for name in names:
        for metric in sorted(set(re.findall(r"\bheadway_[a-z_]+", open(name, encoding="utf-8").read()))):
            if metric not in known and re.sub("_(total|info|sum|count|bucket)$", "", metric) not in known:
                print(f"{name}: {metric}")


def hold(host, number, count):
    held = []
    for _ in range(int(count)):
        connection = socket.create_connection((host, int(number)), timeout=LIMIT_S)
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        held.append(connection)
    print("holding", flush=True)
    sys.stdin.read()


def main():
    verbs = {"get": get, "port": port, "firing": firing, "value": value, "type": metric_type,
             "expressions": expressions, "dashboard": dashboard, "unknown": unknown, "hold": hold}
    try:
        verbs[sys.argv[1]](*sys.argv[2:])
    except (OSError, ValueError, http.client.HTTPException, urllib.error.URLError) as error:
        sys.exit(f"ask.py {' '.join(sys.argv[1:])}: {error!r}")


main()
