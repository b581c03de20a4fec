"""What a buyer sees and does in a browser window."""

from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
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
DEADLINE_S = 15
GONE = (NoSuchElementException, StaleElementReferenceException)


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
        except GONE:
            return ""

    def sees(self, words: str, selector: str = "h1"):
        """Waits until the words stand there; touches nothing."""
        wait_for(
            lambda: words in self.text(selector), DEADLINE_S,
            f"{words!r} in {selector}; there is {self.text('body')!r}",
        )  # fmt: skip

    def click(self, selector: str):
        self.find(selector).click()

    def follow(self, words: str):
        self.driver.find_element(By.PARTIAL_LINK_TEXT, words).click()

    def links(self) -> list[str]:
        return [each.text for each in self.all("a")]

    def pay_by(self, card: str):
        """Fills in the hosted page's form, as by hand, and sends it."""
        fields = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
        for name, value in fields.items():
            self.find(f"#card-{name}").send_keys(value)
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
