#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Opens pages of `headway report` in headless Chromium, and uses them as a person would. Prints KTAP.

Usage: browse.py PAGES CAPTURES

PAGES is a directory: NAME.html, NAME.state (what the page is to say of the end); hostile.html and
hostile-kernel.html, of which nothing may run; bare.html, of a kernel whose locks were not read; injected.html, in which it would, were it not for the page's policy. CAPTURES takes the
screenshots. Waits for what a page says, never for a time.
"""
import base64
import json
import os
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CLEAN = ("return document.scripts.length === 2 && !document.querySelector('img') && "
         "!document.querySelector('b b, td b, text b')")
PATIENCE_S = 120    # a loaded machine; what is waited for comes in a second
SIZE = 1366, 768    # a laptop's


class Browser:
    """Chromium, and what it says of a page."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu",
                         "disable-background-networking", "no-first-run",
                         f"window-size={SIZE[0]},{SIZE[1]}", "force-color-profile=srgb"):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(PATIENCE_S)

    def open(self, path):
        for kind in ("browser", "performance"):     # of the page before
            self.driver.get_log(kind)
        self.driver.get(f"file://{os.path.abspath(path)}")

    def until(self, condition):
        return WebDriverWait(self.driver, PATIENCE_S, 0.1).until(lambda _: condition())

    def ready(self):
        self.until(lambda: self.run("return document.body.dataset.ready") == "yes")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def click(self, element):
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """What the page asked for, beside itself and what it has inside."""
        seen = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                seen.append(message["params"]["request"]["url"])
        own = self.driver.current_url
        return [url for url in seen if url != own and not url.startswith("data:")]

    def capture(self, path, last="main"):
        """The page, however long, to the end of an element."""
        width, height = self.run("""
            const end = document.querySelector(arguments[0]).getBoundingClientRect().bottom;
            return [document.documentElement.clientWidth, Math.ceil(end + scrollY) + 8];
        """, last)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))


RESULTS = []


def check(name, good, detail=""):
    RESULTS.append(bool(good))
    if not good:
        print("\n".join(f"# {line}" for line in str(detail).splitlines()))
    print(f"{'ok' if good else 'not ok'} {len(RESULTS)} - report.{name}", flush=True)


def quiet(browser, name):
    complaints, requests = browser.complaints(), browser.requests()
    check(f"{name}: nothing on the console", not complaints, complaints)
    check(f"{name}: nothing is loaded", not requests, requests)


def look(browser, pages, captures, name):
    """Opened, it says what the recording says."""
    with open(f"{pages}/{name}.state", encoding="utf-8") as file:
        state = file.read().strip()
    browser.open(f"{pages}/{name}.html")
    browser.ready()
    check(f"{name}: the state is {state}", browser.text("#state") == state, browser.text("#state"))
    browser.capture(f"{captures}/report-{name}.png")
    quiet(browser, name)


def columns(browser, nth):
    return [cell.text for cell in browser.all(f"#locks tbody td:nth-child({nth})")]


def sorts(browser, nth, key, first):
    """A head sorts by its column, and the other way round by a second click."""
    for reverse in (first, not first):
        browser.click(browser.one(f"#locks th:nth-child({nth}) button"))
        wanted = "descending" if reverse else "ascending"
        browser.until(lambda want=wanted: browser.one(
            f"#locks th:nth-child({nth})").get_attribute("aria-sort") == want)
        got = [key(text) for text in columns(browser, nth)]
        if len(got) < 2 or got != sorted(got, reverse=reverse):
            return f"{wanted}: {got}"
    return ""


def number(text):
    return -1 if text == "–" else float(text.replace(",", ""))


def use_livelock(browser, pages, captures):
    """What there is to click, on a livelock of two threads over two locks."""
    browser.open(f"{pages}/two_lock_grid.html")
    browser.ready()
    found = browser.one("#findings button")
    check("use: the finding is chosen", found.get_attribute("aria-pressed") == "true")
    check("use: evidence and advice", all(word in browser.text("#finding")
                                          for word in ("Evidence", "Advice", "livelock")))
    browser.capture(f"{captures}/report-readme.png", ".two")
    check("use: two of the actors have attempts", len(browser.all("#timeline path.attempts")) >= 2)
    check("use: the finding is on both", len(browser.all("#timeline rect.band.chosen")) == 2)
    check("use: a cycle of two threads and two locks", len(browser.all("#graph .vertex")) == 4 and
          len(browser.all("#graph path.arrow")) == 4, browser.text("#graph"))
    check("use: where they roll back", "transfer_with_rollback" in browser.text("#flame"),
          browser.text("#flame"))
    check("use: the heat map has cells", len(browser.all("#heat rect.cell")) >= 4)
    browser.click(found)
    browser.until(lambda: "Choose a finding" in browser.text("#finding"))
    check("use: a second click lets go", not browser.all("#timeline rect.band.chosen"))
    check("use: the graph is the whole watch's", len(browser.all("#graph .vertex")) >= 4)
    browser.click(browser.one("#timeline rect.band"))
    browser.until(lambda: "Evidence" in browser.text("#finding"))
    check("use: a click on the timeline chooses it",
          browser.one("#findings button").get_attribute("aria-pressed") == "true")
    wide = next(f for f in browser.all("#flame rect.frame") if "transfer" in f.get_attribute("textContent"))
    before = browser.text("#flame")
    browser.click(wide)
    browser.until(lambda: browser.all("#flame rect[fill-opacity='0.5']"))
    check("use: a frame is widened", "transfer_with_rollback" in browser.text("#flame"), before)
    for nth, name, key, falls in ((1, "name", str, False), (5, "contentions", number, True)):
        wrong = sorts(browser, nth, key, falls)
        check(f"use: locks sorted by {name}", not wrong, wrong)
    filled = browser.one("#filter")
    filled.send_keys("no such lock")
    browser.until(lambda: not browser.all("#locks tbody tr"))
    filled.send_keys(Keys.CONTROL, "a")
    filled.send_keys(Keys.DELETE)
    check("use: the filter hides, and shows again", browser.until(lambda: browser.all("#locks tbody tr")))
    light = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.click(browser.one("button.theme"))
    browser.until(lambda: browser.run("return getComputedStyle(document.body).backgroundColor") != light)
    browser.capture(f"{captures}/report-two_lock_grid-other-theme.png")
    check("use: the other theme", True)
    browser.driver.set_window_size(700, 900)
    browser.until(lambda: browser.run("return innerWidth") <= 700)
    browser.until(lambda: browser.run(
        "return document.querySelector('#timeline svg').viewBox.baseVal.width") <= 700)
    check("use: it fits a narrow window", browser.run(
        "return document.documentElement.scrollWidth <= innerWidth"))
    browser.driver.set_window_size(*SIZE)
    quiet(browser, "use")


def use_kernel(browser, pages):
    """A domain of the kernel, watched alone: its livelock and its cure."""
    browser.open(f"{pages}/philosophers.html")
    browser.ready()
    said = browser.text("#timeline")
    check("kernel: the domain has a row", "kernel domain philosophers" in said, said)
    check("kernel: and what it did", len(browser.all("#timeline path.completions")) == 1)
    check("kernel: the livelock is on it", len(browser.all("#timeline rect.band.chosen")) == 1)
    check("kernel: its verdicts, before and after", "s: livelock" in said and
          ("s: healthy" in said or "s: contended" in said), said)
    check("kernel: its clock is named", "CLOCK_BOOTTIME" in browser.text("header"))
    check("kernel: the livelock has who held what", len(browser.all("#graph .vertex")) == 10 and
          "Nobody slept for a lock" in browser.text("#graph"), browser.text("#graph"))
    browser.click(browser.one("#findings button"))
    browser.until(lambda: "Choose a finding" in browser.text("#finding"))
    check("kernel: the watch has who waited for whom", "fork" in browser.text("#graph") and
          len(browser.all("#graph path.arrow")) >= 2, browser.text("#graph"))
    check("kernel: where they roll back", "dine[philosophers]" in browser.text("#flame"), browser.text("#flame"))
    check("kernel: its locks", sorted(columns(browser, 1)) == [f"fork{i}" for i in range(5)], columns(browser, 1))
    check("kernel: each was contended, over time", len(browser.all("#heat rect.cell")) >= 5 * 4)
    wrong = sorts(browser, 6, number, True)
    check("kernel: locks sorted by rollbacks", not wrong, wrong)
    quiet(browser, "kernel")


def use_bare(browser, pages):
    """A recording of the kernel in which nobody has read the locks: it says why there is nothing."""
    browser.open(f"{pages}/bare.html")
    browser.ready()
    check("bare: no table, and why", not browser.all("#locks") and "once in a window" in browser.text("#no-locks"))
    check("bare: no heat map, and why", "record for longer" in browser.text("#heat"), browser.text("#heat"))
    check("bare: no graph, and why", "Nobody was seen to wait" in browser.text("#graph"), browser.text("#graph"))
    quiet(browser, "bare")


def hostile(browser, pages, captures):
    for name in ("hostile", "hostile-kernel"):
        browser.open(f"{pages}/{name}.html")
        browser.ready()
        check(f"{name}: no script of its own ran", browser.run("return window.owned === undefined"))
        check(f"{name}: it made no element", browser.run(CLEAN))
        check(f"{name}: it is shown as the text that it is", "</script><b>" in browser.text("main") and
              "<script>window.owned=1</script>" in browser.text("main"))
        browser.capture(f"{captures}/report-{name}.png")
        quiet(browser, name)
    # Without the escapes: what is checked above is noticed, and the policy is the second wall.
    browser.open(f"{pages}/injected.html")
    check("control: an injected element is noticed", not browser.run(CLEAN))
    check("control: the policy lets no other script run", browser.run("return window.owned === undefined"))
    check("control: a refused script is on the console", any(
        "Content Security Policy" in line for line in browser.complaints()))


def main(pages, captures):
    os.makedirs(captures, exist_ok=True)
    browser = Browser()
    try:
        for name in sorted(entry[:-6] for entry in os.listdir(pages) if entry.endswith(".state")):
            look(browser, pages, captures, name)
        use_livelock(browser, pages, captures)
        use_kernel(browser, pages)
        use_bare(browser, pages)
        hostile(browser, pages, captures)
    finally:
        browser.driver.quit()
    return 0 if all(RESULTS) and RESULTS else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
