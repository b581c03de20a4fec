"""What a buyer sees and does in a browser window."""

from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from support.waiting import wait_for

CARDS = {
    "paid": "4242 4242 4242 4242",
    "declined": "4000000000000002",
    "three_ds": "4000002500003155",
    "pending": "4000000000003220",
}
DEADLINE_S = 60
# How chromedriver says that one page replaced another meanwhile.
GONE = (NoSuchElementException, StaleElementReferenceException)
GONE_TOO = "does not belong to the document"


def gone(error: WebDriverException) -> bool:
    return isinstance(error, GONE) or GONE_TOO in (error.msg or "")


def steady(action, what: str):
    """The action's result; tried again while pages change."""
    done = []

    def tried():
        try:
            done.append(action())
        except WebDriverException as error:
            if not gone(error):
                raise
        return done

    return wait_for(tried, DEADLINE_S, what)[0]


class Buyer:
    """Works in the window that is the browser's current one."""

    def __init__(self, chrome):
        self.chrome = chrome
        self.driver = chrome.driver

    def open(self, url: str):
        self.driver.get(url)

    @property
    def url(self) -> str:
        return self.driver.current_url

    def find(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """"" while a page replaces another."""
        try:
            return self.find(selector).text
        except WebDriverException as error:
            if not gone(error):
                raise
            return ""

    def sees(self, words: str, selector: str = "h1"):
        """Waits until the words stand there; touches nothing."""
        wait_for(
            lambda: words in self.text(selector), DEADLINE_S,
            f"{words!r} in {selector}; there is {self.text('body')!r}",
        )  # fmt: skip

    def click(self, selector: str):
        steady(lambda: self.find(selector).click(), f"{selector} to click")

    def follow(self, words: str):
        find = self.driver.find_element
        steady(
            lambda: find(By.PARTIAL_LINK_TEXT, words).click(), f"link {words!r}"
        )

    def links(self) -> list[str]:
        return steady(lambda: [each.text for each in self.all("a")], "links")

    def pay_by(self, card: str):
        """Fills in the hosted page's form, as by hand, and sends it."""
        fields = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
        for name, value in fields.items():
            # the rest of a page may come after the words that were waited for
            steady(
                lambda n=name, v=value: self.find(f"#card-{n}").send_keys(v),
                f"the field {name}",
            )
        self.click("#pay")

    @property
    def focus(self):
        return self.driver.switch_to.active_element

    def types(self, *keys: str):
        """Wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def second_window(self) -> str:
        """Opens one, goes there; returns the first one's handle."""
        here = self.driver.current_window_handle
        self.driver.switch_to.new_window("window")
        return here

    def go_to(self, window: str):
        self.driver.switch_to.window(window)

    @property
    def window(self) -> str:
        return self.driver.current_window_handle
