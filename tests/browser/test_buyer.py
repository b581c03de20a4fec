"""A buyer's ways through a payment, in a real browser.  The payment itself with
JavaScript allowed and forbidden; the rest forbidden, as no page of ours has any
(test_privacy.py).  Only the hosted page (the mock's) ever sees the card.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

WAITING = "We are waiting for your payment"
PAID = "Your payment was received"


@pytest.fixture(params=("generic", "stripe"))
def psp(request):
    return request.param


def arrives_at_shop(buyer, sale, status="SUCCESS"):
    """With a signed result that the shop finds valid."""
    buyer.sees("Back in the shop")
    assert buyer.text("#signature") == "valid"
    query = parse_qs(urlsplit(buyer.url).query)
    assert query["checkout_id"] == [sale.body["checkout_id"]]
    assert query["status"] == [status]
    assert status in buyer.text("dl")


def pay_page(buyer, sale):
    """From the gateway's link to the PSP's form."""
    buyer.open(sale.checkout_url)
    buyer.sees("Pay by card")
    assert buyer.text("#amount") == "12.34 USD"


def test_a_payment_while_a_second_window_watches(buyer, sales, psp):
    """The second window is told by the Refresh header alone."""
    sale = sales(psp)
    pay_page(buyer, sale)
    first = buyer.second_window()
    buyer.open(sale.status_url)
    buyer.sees(WAITING)
    second = buyer.window
    buyer.go_to(first)
    buyer.pay_by("paid")
    arrives_at_shop(buyer, sale)
    buyer.go_to(second)
    buyer.sees(PAID)
    assert buyer.url == sale.status_url
    assert sale.order()["status"] == "SUCCESS"


def test_the_link_after_paying_leads_to_the_result(plain_buyer, sales, psp):
    buyer = plain_buyer
    sale = sales(psp).settle("paid")
    buyer.open(sale.checkout_url)
    buyer.sees(PAID)
    assert buyer.url == sale.status_url
    assert buyer.links() == ["Back to the shop"]
    buyer.follow("Back to the shop")
    arrives_at_shop(buyer, sale)


def test_a_declined_card_then_a_good_one(plain_buyer, sales):
    """Stripe tells nobody of the first try."""
    buyer = plain_buyer
    sale = sales("stripe")
    pay_page(buyer, sale)
    buyer.pay_by("declined")
    buyer.sees("Your card was declined", "#error")
    assert sale.order()["status"] == "EXECUTING"
    buyer.pay_by("paid")
    arrives_at_shop(buyer, sale)


def test_a_reported_decline_can_be_made_good(plain_buyer, sales):
    buyer = plain_buyer
    sale = sales("generic")
    pay_page(buyer, sale)
    buyer.pay_by("declined")
    buyer.sees("Your card was declined", "#error")
    sale.becomes("FAILED")
    buyer.pay_by("paid")
    sale.becomes("SUCCESS")
    buyer.open(sale.return_url)
    arrives_at_shop(buyer, sale)


def test_cancelling_leads_back_to_the_shop(plain_buyer, sales):
    buyer = plain_buyer
    sale = sales("generic")
    pay_page(buyer, sale)
    buyer.click("#cancel")
    arrives_at_shop(buyer, sale, "FAILED")
    assert sale.order()["reason"] == "cancelled"
    buyer.open(sale.checkout_url)
    buyer.sees("Your payment was cancelled")


def test_cancelling_at_stripe_leaves_the_way_to_pay_open(plain_buyer, sales):
    """There the link only leads back: the session stays payable."""
    buyer = plain_buyer
    sale = sales("stripe")
    pay_page(buyer, sale)
    buyer.click("#cancel")
    buyer.sees(WAITING)
    assert sale.order()["status"] == "EXECUTING"
    buyer.follow("Continue to payment")
    buyer.sees("Pay by card")
    buyer.pay_by("paid")
    arrives_at_shop(buyer, sale)


def test_the_bank_approves(plain_buyer, sales, psp):
    buyer = plain_buyer
    sale = sales(psp)
    pay_page(buyer, sale)
    buyer.pay_by("three_ds")
    buyer.sees("Your bank asks")
    assert sale.order()["status"] == "EXECUTING"
    buyer.click("#approve")
    arrives_at_shop(buyer, sale)


def test_the_bank_refuses_then_another_card_pays(plain_buyer, sales):
    buyer = plain_buyer
    sale = sales("stripe")
    pay_page(buyer, sale)
    buyer.pay_by("three_ds")
    buyer.sees("Your bank asks")
    buyer.click("#refuse")
    buyer.sees("Your bank refused the payment", "#error")
    buyer.pay_by("paid")
    arrives_at_shop(buyer, sale)


@pytest.fixture
def patient(mock):
    """What is pending stays so until the test says otherwise."""
    mock.settings(pending_ms=600_000)
    yield
    mock.settings(pending_ms=1500)


def test_a_pending_payment_hands_on_by_itself(plain_buyer, sales, patient):
    """In two windows, one of each dialect."""
    buyer = plain_buyer
    windows = {}
    for psp in ("generic", "stripe"):
        sale = sales(psp)
        pay_page(buyer, sale)
        buyer.pay_by("pending")
        buyer.sees("Your payment is being confirmed")
        assert buyer.url.partition("?")[0] == sale.return_url
        assert sale.order()["status"] == "EXECUTING"
        windows[buyer.window] = sale
        buyer.second_window()
    for window, sale in windows.items():
        sale.settle("paid")
        buyer.go_to(window)
        arrives_at_shop(buyer, sale)


def test_a_forged_way_back_proves_nothing(plain_buyer, sales, psp):
    buyer = plain_buyer
    sale = sales(psp)
    forged = "?status=SUCCESS&result=eyJhbGciOiJub25lIn0.e30.&paid=1"
    buyer.open(sale.return_url + forged)
    buyer.sees(WAITING)
    assert sale.order()["status"] == "EXECUTING"


def test_whoever_stops_the_updates_is_left_in_peace(plain_buyer, sales):
    """A window beside it goes on, so time enough has passed."""
    buyer = plain_buyer
    sale = sales("generic")
    buyer.open(sale.status_url)
    buyer.follow("Stop updating")
    buyer.sees("does not update", "main")
    paused = buyer.window
    buyer.second_window()
    buyer.open(sale.status_url)
    buyer.sees(WAITING)
    sale.settle("paid")
    buyer.sees(PAID)
    watching = buyer.window
    buyer.go_to(paused)
    assert buyer.text("h1") == WAITING
    buyer.follow("Update again")
    buyer.sees(PAID)
    assert len({paused, watching}) == 2


def test_the_way_back_keeps_what_the_shop_wrote(plain_buyer, sales, gateway):
    """Quotes and names of HTML's entities in the return URL."""
    buyer = plain_buyer
    wrote = "q='onclick='alert(1)'&copy=2&lt=3&quot;=4"
    sale = sales("generic", return_url=f"{gateway.return_url}?{wrote}")
    buyer.open(sale.status_url)
    assert len(buyer.links()) == 3
    buyer.follow("Back to the shop")
    buyer.sees("Back in the shop")
    assert buyer.text("#signature") == "valid"
    query = parse_qs(urlsplit(buyer.url).query)
    assert query["q"] == ["'onclick='alert(1)'"]
    assert [query[name] for name in ("copy", "lt", "quot;")] == [
        ["2"],
        ["3"],
        ["4"],
    ]


def test_the_keyboard_alone_pays(plain_buyer, sales):
    """Links and fields in their order, by the tabulator."""
    buyer = plain_buyer
    sale = sales("generic")
    buyer.open(sale.status_url)
    buyer.chrome.hold()
    buyer.types(Keys.TAB)
    assert buyer.focus.text == "Continue to payment"
    assert buyer.focus.value_of_css_property("outline-style") == "solid"
    buyer.types(Keys.ENTER)
    buyer.sees("Pay by card")
    for word in ("4242424242424242", "12/39", "123"):
        buyer.types(Keys.TAB, word)
    buyer.types(Keys.ENTER)
    arrives_at_shop(buyer, sale)


@pytest.mark.parametrize(
    ("result", "heading"),
    [
        ("declined", "Your payment did not go through"),
        ("expired", "The time to pay has run out"),
        ("cancelled", "Your payment was cancelled"),
    ],
)
def test_a_final_page_offers_no_payment(plain_buyer, sales, result, heading):
    buyer = plain_buyer
    sale = sales("generic").settle(result)
    buyer.open(sale.status_url)
    buyer.sees(heading)
    assert buyer.links() == ["Back to the shop"]
    buyer.follow("Back to the shop")
    arrives_at_shop(buyer, sale, "FAILED")


def test_a_page_of_nobody_shows_nobodys_payment(plain_buyer, gateway, sales):
    buyer = plain_buyer
    sale = sales("generic")
    handle = sale.checkout_url.rsplit("/", 1)[1]
    other = handle[:-1] + ("A" if handle[-1] != "A" else "B")
    for place in ("checkout", "return"):
        buyer.open(f"{gateway.url}/{place}/{other}")
        assert "This link is not valid" in buyer.text("body")
        assert sale.order_id not in buyer.text("body")


def test_paying_twice_is_refused(plain_buyer, sales, psp):
    """A window left open at the form, while another one pays."""
    buyer = plain_buyer
    sale = sales(psp)
    pay_page(buyer, sale)
    sale.settle("paid")
    buyer.pay_by("paid")
    buyer.sees("This payment is paid")
    buyer.click("#back")
    arrives_at_shop(buyer, sale)
    assert len(sale.payments()) == 1
