"""The hosted payment page and a storefront's return page, as HTML.

Works without JavaScript.  Test cards decide what happens; card numbers are
looked at and forgotten.
"""

import html
import re
import time
from string import Template

from aiohttp import web

from .lifecycle import NotPossible

SUCCESS = "4242424242424242"
THREE_DS = "4000002500003155"
PENDING = "4000000000003220"
DECLINES = {
    "4000000000000002": ("card_declined", "Your card was declined."),
    "4000000000000069": ("expired_card", "Your card has expired."),
    "4000000000009995": ("insufficient_funds", "Too little money."),
    "4000000000000127": ("incorrect_cvc", "The security code is wrong."),
    "4000000000009979": ("stolen_card", "Your card was declined."),
}
NOT_A_TEST_CARD = ("test_card_only", "Only test cards work here.")

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 1.05rem/1.5 system-ui, sans-serif; margin: 0; color: #1b2330;
  background: #eef1f6; }
main { max-width: 24rem; margin: 1.5rem auto; padding: 1.5rem;
  background: #fff; border-radius: .6rem; }
h1 { font-size: 1.3rem; margin-top: 0; }
.amount { font-size: 1.8rem; font-weight: 600; margin: .3rem 0; }
ul { padding-left: 1.2rem; }
label { display: block; margin-top: .9rem; font-weight: 600; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem;
  border: 1px solid #67728a; border-radius: .3rem; }
button { font: inherit; font-weight: 600; width: 100%; margin-top: 1.2rem;
  padding: .75rem; border: 0; border-radius: .3rem; color: #fff;
  background: #1f4fbf; }
button.second { color: #1b2330; background: #d9dfea; }
a { color: #1f4fbf; }
.error { color: #8c1515; font-weight: 600; }
dt { font-weight: 600; }
dd { margin: 0 0 .6rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<p>Mock PSP, test mode</p>
$body
</main>
</body>
</html>
""")

FORM = Template("""<h1>Pay by card</h1>
<p class="amount" id="amount">$amount $currency</p>
<ul>$lines</ul>
$error
<form method="post" action="$action">
<label for="card-number">Card number</label>
<input id="card-number" name="number" inputmode="numeric" required
 autocomplete="cc-number" placeholder="4242 4242 4242 4242">
<label for="card-expiry">Expiry (MM/YY)</label>
<input id="card-expiry" name="expiry" inputmode="numeric" required
 autocomplete="cc-exp" placeholder="12/34">
<label for="card-cvc">Security code</label>
<input id="card-cvc" name="cvc" inputmode="numeric" required
 autocomplete="cc-csc" placeholder="123">
<button id="pay">Pay $amount $currency</button>
</form>
<p><a id="cancel" href="$action/cancel">Cancel and go back</a></p>
""")

CHALLENGE = Template("""<h1>Your bank asks</h1>
<p>Approve the payment of <strong>$amount $currency</strong>?</p>
<form method="post" action="$action/challenge">
<button id="approve" name="answer" value="approve">Approve</button>
<button id="refuse" name="answer" value="refuse" class="second">Refuse</button>
</form>
""")


class CardError(Exception):
    """The form was filled in wrongly; the text is for the buyer."""


def luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def check_card(form) -> str:
    """-> the card number, or CardError"""
    number = re.sub(r"[ -]", "", str(form.get("number", "")))
    if not re.fullmatch(r"[0-9]{12,19}", number) or not luhn(number):
        raise CardError("Your card number is incorrect.")
    expiry = re.fullmatch(
        r"(0[1-9]|1[0-2]) ?/ ?(?:20)?([0-9]{2})", str(form.get("expiry", ""))
    )
    if not expiry:
        raise CardError("Write the expiry date as MM/YY.")
    today = time.gmtime()
    if (2000 + int(expiry[2]), int(expiry[1])) < (today.tm_year, today.tm_mon):
        raise CardError("Your card has expired.")
    if not re.fullmatch(r"[0-9]{3,4}", str(form.get("cvc", ""))):
        raise CardError("The security code has three or four digits.")
    return number


def page(title: str, body: str, status: int = 200) -> web.Response:
    text = PAGE.substitute(title=html.escape(title), body=body)
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; "
        "style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    }
    return web.Response(
        status=status, text=text, content_type="text/html", headers=headers
    )


def see_other(url: str) -> web.Response:
    return web.Response(
        status=303, headers={"Location": url, "Cache-Control": "no-store"}
    )


class Hosted:
    def __init__(self, books, lifecycle, dialects):
        self.books = books
        self.lifecycle = lifecycle
        self.dialects = dialects

    def routes(self) -> list:
        table = []
        for dialect, spoken in self.dialects.items():
            root = spoken.root + "{token}"
            table += [
                web.get(root, self._with(dialect, self._show)),
                web.post(root, self._with(dialect, self._pay)),
                web.get(root + "/cancel", self._with(dialect, self._cancel)),
                web.get(root + "/challenge", self._with(dialect, self._ask)),
                web.post(
                    root + "/challenge", self._with(dialect, self._answered)
                ),
            ]
        return table

    def _with(self, dialect: str, work):
        """A handler that finds the registration and stops at final ones."""

        async def handler(request):
            token = request.match_info["token"]
            made = self.books.of_token(dialect, token)
            if made is None:
                return page("Not found", "<h1>No such payment</h1>", 404)
            if not made.payable():
                return self._over(made)
            try:
                return await work(request, made)
            except NotPossible:
                return self._over(made)

        return handler

    def _over(self, made) -> web.Response:
        back = html.escape(made.return_url, quote=True)
        state = html.escape(made.status)
        body = (
            f"<h1>This payment is {state}</h1>"
            f'<p><a id="back" href="{back}">Back to the shop</a></p>'
        )
        return page(f"Payment {made.status}", body)

    def _dialect(self, made):
        return self.dialects[made.dialect]

    def _path(self, made) -> str:
        return self._dialect(made).root + made.token

    def _back(self, made, url: str) -> web.Response:
        return see_other(self._dialect(made).back(made, url))

    def _success(self, made) -> web.Response:
        self.lifecycle.settle(made, self._dialect(made).success)
        return self._back(made, made.return_url)

    def _form(self, made, error: str = "") -> web.Response:
        lines = "".join(
            f"<li>{html.escape(name)}: {html.escape(amount)}</li>"
            for name, amount in made.lines
        )
        shown = (
            f'<p class="error" id="error" role="alert">{html.escape(error)}</p>'
            if error
            else ""
        )
        body = FORM.substitute(
            amount=html.escape(made.amount),
            currency=html.escape(made.currency),
            lines=lines,
            error=shown,
            action=self._path(made),
        )
        return page("Pay", body, 402 if error else 200)

    async def _show(self, request, made):
        return self._form(made)

    async def _pay(self, request, made):
        try:
            number = check_card(await request.post())
        except CardError as why:
            return self._form(made, str(why))
        if number == SUCCESS:
            return self._success(made)
        if number == PENDING:
            self._dialect(made).pend(made)
            return self._back(made, made.return_url)
        if number == THREE_DS:
            made.extra["challenged"] = True
            return see_other(self._path(made) + "/challenge")
        return self._decline(made, *DECLINES.get(number, NOT_A_TEST_CARD))

    def _decline(self, made, code: str, text: str) -> web.Response:
        """One failed try; the buyer may try again."""
        if self._dialect(made).tells_declines:
            self.lifecycle.settle(made, "declined", code)
        else:
            self.lifecycle.attempt(made, code)
        return self._form(made, text + " Try another card.")

    async def _cancel(self, request, made):
        if self._dialect(made).cancels:
            self.lifecycle.settle(made, "cancelled")
        return self._back(made, made.cancel_url or made.return_url)

    async def _ask(self, request, made):
        if not made.extra.get("challenged"):
            return see_other(self._path(made))
        body = CHALLENGE.substitute(
            amount=html.escape(made.amount),
            currency=html.escape(made.currency),
            action=self._path(made),
        )
        return page("Approve the payment", body)

    async def _answered(self, request, made):
        if not made.extra.pop("challenged", False):
            return see_other(self._path(made))
        form = await request.post()
        if form.get("answer") == "approve":
            return self._success(made)
        return self._decline(
            made, "authentication_failed", "Your bank refused the payment."
        )
