"""What the pages ask of others: nothing.  And of the browser: to remember
nothing, to run nothing.
"""

import gallery as every
import pytest
from chrome import Chrome

SCRIPT = "data:text/html,<title>off</title><script>document.title='on'</script>"
ASK = """
const image = new Image();
image.onerror = () => arguments[1]("refused");
image.onload = () => arguments[1]("loaded");
image.src = arguments[0];
"""
STYLE = """
const style = document.createElement("style");
style.textContent = "body { margin: 77px }";
document.head.append(style);
return getComputedStyle(document.body).marginLeft;
"""


def of(events, method: str) -> list[dict]:
    return [each["params"] for each in events if each["method"] == method]


def refusals(chrome) -> list[str]:
    """The console's complaints about the pages' policy."""
    return [
        each
        for each in chrome.console()
        if "Content Security Policy" in each or "Refused to" in each
    ]


@pytest.fixture
def visit(chrome, gallery):
    """visit(page) -> DevTools' events of its visit"""

    def run(page):
        address = gallery.address(page)
        chrome.network()
        chrome.driver.get(address)
        events = chrome.network()
        chrome.hold()
        return events

    return run


@pytest.mark.parametrize("page", every.PAGES)
def test_page_asks_only_the_gateway_and_sets_no_cookie(
    chrome, visit, gateway, page
):
    events = visit(page)
    sent = of(events, "Network.requestWillBeSent")
    addresses = [each["request"]["url"] for each in sent]
    foreign = [
        each for each in addresses if not each.startswith(gateway.url + "/")
    ]
    assert len(addresses) >= 2, "page and style sheet"
    assert foreign == []
    for answer in of(events, "Network.responseReceivedExtraInfo"):
        names = {name.lower() for name in answer["headers"]}
        assert "content-security-policy" in names
        assert "set-cookie" not in names
    assert chrome.cookies() == []
    assert refusals(chrome) == []
    assert chrome.driver.find_elements("css selector", "script") == []


def test_the_way_to_the_hosted_page_leaves_one_cookie(chrome, sales):
    """Of the gateway's own host, and out of reach of any script."""
    chrome.driver.get(sales().checkout_url)
    (cookie,) = chrome.cookies()
    assert cookie["name"] == "__Host-payments-browser"
    assert cookie["httpOnly"] and cookie["secure"]
    assert cookie["sameSite"] == "Lax" and cookie["path"] == "/"
    chrome.driver.get(sales().checkout_url)
    assert chrome.cookies()[0]["value"] == cookie["value"], "it is kept"


def test_policy_refuses_a_foreign_image_and_says_so(chrome, visit, gateway):
    """Proves that the silence of the other tests means something."""
    visit("waiting")
    foreign = f"{gateway.mock_url}/shop/"
    assert chrome.driver.execute_async_script(ASK, foreign) == "refused"
    loaded = of(chrome.network(), "Network.responseReceived")
    assert [each["response"]["url"] for each in loaded] == []
    assert len(refusals(chrome)) == 1


def test_policy_refuses_inline_style(chrome, visit):
    visit("problem")
    assert chrome.driver.execute_script(STYLE) != "77px"
    assert len(refusals(chrome)) == 1


def test_pages_keep_nothing_in_the_browser(chrome, visit):
    visit("paid")
    # a test of the console may have logged in on this tab
    chrome.driver.execute_script("sessionStorage.clear()")
    visit("paid")
    kept = "return [localStorage.length, sessionStorage.length]"
    assert chrome.driver.execute_script(kept) == [0, 0]


def test_the_hosted_page_never_learns_the_gateways_address(
    chrome, visit, gallery, mock
):
    """The handle in it is a secret: no referrer leaves the status page."""
    visit("waiting")
    chrome.driver.find_element(
        "partial link text", "Continue to payment"
    ).click()
    sent = of(chrome.network(), "Network.requestWillBeSent")
    hosted = [
        each["request"]
        for each in sent
        if each["request"]["url"].startswith(mock.url)
    ]
    assert hosted
    for request in hosted:
        assert "Referer" not in request["headers"]


def test_the_scriptless_browser_runs_no_script(scriptless, scripted):
    for browser, title in ((scriptless, "off"), (scripted, "on")):
        browser.fresh()
        browser.driver.get(SCRIPT)
        assert browser.driver.title == title


def test_a_browser_that_was_not_told_the_key_stays_out(gateway):
    """The tests' browsers check whom they speak to."""
    stranger = Chrome(None)
    try:
        stranger.driver.get(f"{gateway.url}/problems")
        shown = stranger.driver.find_element("css selector", "body").text
        assert "ERR_CERT_AUTHORITY_INVALID" in shown
        assert "Problem types" not in shown
    finally:
        stranger.close()
