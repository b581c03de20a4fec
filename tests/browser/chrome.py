"""Debian's Chromium, headless, with a profile of its own.

It believes the stack's server by its public key alone: any other
certificate without a known CA still stops it.
"""

import base64
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
LOAD_S = 60
BLOCK = 2  # a content setting of Chromium's
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-pings",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-US",
    # no name but ours is looked up, whatever a page may ask for
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, "
    "EXCLUDE 127.0.0.1",
)


def spki(certificate: Path) -> str:
    """The leaf's public key as Chromium's switch wants it."""
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    key = leaf.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def options(certificate, profile: str, scripts: bool):
    made = webdriver.ChromeOptions()
    made.binary_location = CHROMIUM
    for switch in SWITCHES:
        made.add_argument(switch)
    made.add_argument(f"--user-data-dir={profile}")
    if certificate:
        made.add_argument(
            f"--ignore-certificate-errors-spki-list={spki(certificate)}"
        )
    prefs = {
        "profile.password_manager_leak_detection": False,
        "credentials_enable_service": False,
        "autofill.credit_card_enabled": False,
    }
    if not scripts:
        prefs["profile.managed_default_content_settings.javascript"] = BLOCK
    made.add_experimental_option("prefs", prefs)
    made.add_experimental_option(
        "perfLoggingPrefs", {"enableNetwork": True, "enablePage": False}
    )
    made.set_capability(
        "goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"}
    )
    return made


class Chrome:
    """A browser; `scripts` says whether pages may run JavaScript."""

    def __init__(self, certificate: Path | None, scripts: bool = True):
        self.scripts = scripts
        self.profile = tempfile.mkdtemp(prefix="payments-chrome.")
        try:
            self.driver = webdriver.Chrome(
                service=Service(CHROMEDRIVER),
                options=options(certificate, self.profile, scripts),
            )
        except BaseException:
            shutil.rmtree(self.profile, ignore_errors=True)
            raise
        self.driver.set_page_load_timeout(LOAD_S)
        self.first = self.driver.current_window_handle

    def close(self):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self.profile, ignore_errors=True)

    def cdp(self, method: str, **parameters) -> dict:
        return self.driver.execute_cdp_cmd(method, parameters)

    def speak(self, tag: str):
        """The language that the current window's requests ask for."""
        self.cdp("Network.enable")
        self.cdp("Network.setExtraHTTPHeaders",
                 headers={"Accept-Language": tag} if tag else {})  # fmt: skip

    def fresh(self):
        """One empty window, empty logs; for the next test."""
        for window in self.driver.window_handles:
            if window != self.first:
                self.driver.switch_to.window(window)
                self.driver.close()
        self.driver.switch_to.window(self.first)
        self.look()
        self.speak("")
        self.driver.get("about:blank")
        self.cdp("Storage.clearCookies")
        self.network()
        self.console()

    def look(self, width=1280, height=900, phone=False, dark=False):
        """The current window's size and colour scheme."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = "dark" if dark else "light"
        self.cdp(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def hold(self):
        """The page stays as it is: its Refresh is called off."""
        self.cdp("Page.stopLoading")

    def network(self) -> list[dict]:
        """DevTools' Network events since the last call."""
        entries = self.driver.get_log("performance")
        events = [json.loads(each["message"])["message"] for each in entries]
        return [
            each for each in events if each["method"].startswith("Network.")
        ]

    def console(self) -> list[str]:
        return [each["message"] for each in self.driver.get_log("browser")]

    def cookies(self) -> list[dict]:
        """Of every site, HttpOnly ones, too."""
        return self.cdp("Storage.getCookies")["cookies"]

    def screenshot(self, path: Path):
        """The whole page."""
        shot = self.cdp(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            optimizeForSpeed=True,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))
