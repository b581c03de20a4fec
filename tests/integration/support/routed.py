"""Checkouts whose PSP the gateway chooses: blocks and routes for the own
stack's nginx.conf, and what a test asks about such a checkout.

A test picks its route by payment_method.  The blocks here lead to the mock's
dialects, so that two PSPs of one dialect are told apart by their amount of
calls only: see ``calls``.
"""

from urllib.parse import urlsplit

from .own_stack import Checkout, wait_for

BEFORE = "    payments_merchant acme {\n"
PSPS = "psp                generic stripe"


def block(
    stack,
    name: str,
    words: str = "",
    port: int = 0,
    timeout: str = "connect=500ms total=1s",
) -> str:
    """Another PSP of the dialect generic; port: not the mock's."""
    mock = urlsplit(stack.gateway.mock_url)
    secrets = stack.gateway.secrets
    return f"""\
    payments_psp {name} {{
        adapter            generic;
        base_url           http://127.0.0.1:{port or mock.port}/generic;
        api_key_file       "{secrets}/generic.key";
        webhook_key_file   "{secrets}/generic.whsec";
        hosted_page_host   {mock.netloc};
        timeout            {timeout};
        {words}
    }}

"""


def edits(names: str, blocks: str, routes: str) -> list[tuple[str, str]]:
    """Both merchants get the PSPs; acme gets the routes."""
    words = [line.strip() for line in routes.strip().splitlines()]
    lines = "".join(f"        route  {each};\n" for each in words)
    return [(PSPS, f"{PSPS} {names}"), (BEFORE, blocks + BEFORE + lines)]


def order(stack, method: str = "", **more) -> dict:
    body = stack.order(**more)
    del body["psp"]
    return body | ({"payment_method": method} if method else {})


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def post(stack, body: dict, **faults: dict):
    """The answer and the checkout; faults: by dialect, of its registration."""
    for dialect, fault in faults.items():
        stack.mock.faults(
            {"operation": "register", "dialect": dialect,
             "nonce": nonce_of(body)} | fault
        )  # fmt: skip
    answer = stack.post(body)
    return answer, Checkout(stack, body, answer)


def calls(stack, made, dialect: str = "") -> list[dict]:
    """The calls that the mock got about it."""
    return [
        each
        for each in stack.mock.calls(nonce_of(made.body))
        if dialect in ("", each["dialect"])
    ]


def booked(stack, made) -> list[str]:
    """The dialects of its registrations, by nonce and by our reference."""
    by_nonce = stack.mock.books(nonce=nonce_of(made.body))["registrations"]
    uuid = made.facts()[0]
    assert stack.mock.books(reference=uuid)["registrations"] == by_nonce
    return [each["dialect"] for each in by_nonce]


def is_at(made) -> str:
    """Where PostgreSQL has it: a checkout and its registration agree."""
    ((psp, same),) = made.stack.sql(
        "SELECT c.psp, c.psp = r.psp FROM pay.checkout c "
        "JOIN pay.registration r USING (merchant_id, checkout_id) "
        "WHERE c.checkout_id = %s",
        made.id,
    )
    assert same
    return psp


def kinds(made) -> list[str]:
    return [each["kind"] for each in made.stack.timeline(made.order_id)]


def detail(made, kind: str) -> dict:
    """The detail of its only event of that kind."""
    found = [
        each["detail"]
        for each in made.stack.timeline(made.order_id)
        if each["kind"] == kind
    ]
    assert len(found) == 1, found
    return found[0]


def retried(stack, made) -> None:
    """The job has had one more go at the registration."""
    before = made.registration["attempt"]

    def tried():
        stack.jobs_now(made.id, "register")
        return made.registration["attempt"] > before

    wait_for(tried, f"one more try of {made.id}")


def goes_on(stack, made) -> None:
    def registered():
        stack.jobs_now(made.id, "register")
        return made.registration["state"] == "REGISTERED"

    wait_for(registered, f"the registration of {made.id}")


def ends(stack, made, states: set[tuple]) -> None:
    """Its jobs bring it there; else the failure says how far it came."""

    def there():
        stack.jobs_now(made.id)
        return made.states() == states

    try:
        wait_for(there, f"{states} of {made.id}")
    except AssertionError as error:
        jobs = stack.sql(
            "SELECT to_jsonb(j) FROM pay.job j WHERE checkout_id = %s",
            made.id,
        )
        asked = [each["operation"] for each in calls(stack, made)]
        raise AssertionError(
            f"{error}: {made.states()}, {made.registration}, "
            f"{kinds(made)}, jobs {jobs}, calls {asked}"
        ) from error


def can_be_paid(stack, made) -> None:
    """To the end, by webhook."""
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
