"""What a member of staff sees and does in the console."""

import csv
import time
from urllib.parse import urlsplit

from buyer import DEADLINE_S, Buyer
from support.waiting import wait_for

TILES = """
return [...document.querySelectorAll(".tiles li")].map(each => [
    each.querySelector("a span").textContent,
    each.querySelector("strong").textContent, each.querySelector("a").href]);
"""
ROWS = "return document.querySelectorAll('tbody tr').length;"
CELLS = """
return [...document.querySelectorAll("table tr")].map(row =>
    [...row.children].map(each => each.textContent));
"""
# a module of the page; what is returned is JSON
CALL = """
const [name, code, values, done] = arguments;
import(location.pathname.replace(/[^/]*$/, "") + name).then(
    found => done({value: values === null ? found[code]
        : found[code](...values)}),
    why => done({error: String(why)}));
"""
# where html/console/api.js keeps a token that was pasted
KEEP = "sessionStorage.setItem('payments-console-token', arguments[0]);"
# as a click on a link of the console
GO = """
const [base, address, done] = arguments;
import(base + "/route.js").then(({ go }) => {
    go(address);
    requestAnimationFrame(() => setTimeout(done));
});
"""
TEXTS = """
return [...document.querySelectorAll(arguments[0])].map(
    each => each.textContent);
"""
FOCUS = """
const at = document.activeElement;
return {words: at.getAttribute("aria-label") || at.textContent.trim(),
    id: at.id, href: at.getAttribute("href") || ""};
"""
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
POLICY = ("Content Security", "Trusted", "Uncaught")


class Staff(Buyer):
    """Works in the window that is the browser's current one."""

    def __init__(self, chrome, gateway):
        super().__init__(chrome)
        self.base = gateway.env["CONSOLE_URL"].rstrip("/")
        self.env = gateway.env

    def enter(self, role="VIEWER", address="/"):
        """With the token of a role, as one that was pasted into this tab."""
        self.leave()
        self.driver.execute_script(KEEP, self.env[f"STAFF_{role}_JWT"])
        self.load(address)
        self.waits_for("header .person", "to be logged in")

    def leave(self):
        """Forgets the token that an earlier page of the tab had."""
        if not self.url.startswith(self.base):
            self.open(f"{self.base}/icon.svg")
        self.driver.execute_script("sessionStorage.clear()")

    def paste(self, token: str):
        self.waits_for("#token", "the field of the token")
        field = self.find("#token")
        field.clear()
        field.send_keys(token)
        self.click("main.sign form button")

    def waits_for(self, selector: str, why: str):
        wait_for(
            lambda: self.all(selector), DEADLINE_S,
            f"{why}; there is {self.text('body')!r}",
        )  # fmt: skip

    def load(self, address: str):
        """As a link from elsewhere."""
        self.open(self.base + address)
        self.settled()

    def visit(self, address: str):
        """As a link of the page that is open, which is not loaded anew."""
        there = urlsplit(self.base + address.removeprefix(self.base))
        self.driver.execute_async_script(
            GO, self.base, there.path + (there.query and f"?{there.query}")
        )
        self.settled()

    def texts(self, selector: str) -> list[str]:
        return self.driver.execute_script(TEXTS, selector)

    def tabs_to(self, limit=80, **wanted: str):
        """Presses Tab until the focus is on what has these words at its
        beginning, this id, or this in its address."""
        ((name, text),) = wanted.items()
        for _ in range(limit):
            found = self.driver.execute_script(FOCUS)[name]
            if found.startswith(text) or (name == "href" and text in found):
                return
            for kind in ("rawKeyDown", "keyUp"):
                self.chrome.cdp("Input.dispatchKeyEvent", type=kind, **TAB)
        raise AssertionError(f"{text!r} is not reached by Tab")

    def settled(self):
        """The data of the page have come."""
        probe = """return document.querySelector("header") !== null
            && !document.body.textContent.includes("Loading …")"""
        wait_for(
            lambda: self.driver.execute_script(probe), DEADLINE_S,
            "the page to have its data",
        )  # fmt: skip

    def tiles(self) -> list[tuple[str, str, str]]:
        return [tuple(each) for each in self.driver.execute_script(TILES)]

    def rows(self) -> int:
        """Of the list and all its pages."""
        count = 0
        while True:
            self.settled()
            count += self.driver.execute_script(ROWS)
            following = [
                each for each in self.all(".pager a") if "Next" in each.text
            ]
            if not following:
                return count
            self.visit(following[0].get_attribute("href"))

    def cells(self) -> list[list[str]]:
        return self.driver.execute_script(CELLS)

    def call(self, name: str, code: str, *values):
        """A function of a module, or without values a constant."""
        found = self.driver.execute_async_script(
            CALL, name, code, list(values) if values else None
        )
        assert "error" not in found, found
        return found["value"]

    def saves(self, directory) -> list[list[str]]:
        """The file that the page's first button of that name gives."""
        self.chrome.cdp(
            "Browser.setDownloadBehavior", behavior="allow",
            downloadPath=str(directory),
        )  # fmt: skip
        self.click(".tools button")
        (path,) = wait_for(
            lambda: list(directory.glob("*.csv")), DEADLINE_S, "the file"
        )
        assert time.time() - path.stat().st_mtime < DEADLINE_S
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def complaints(self) -> list[str]:
        """Of the browser: the policy, trusted types, errors of scripts."""
        return [
            each
            for each in self.chrome.console()
            if any(word in each for word in POLICY)
        ]
