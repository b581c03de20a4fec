"""Which retry line a PSP goes by: its own, else the http block's."""

import pytest
from support.own_stack import QUICK_JOBS, wait_for
from support.ports import free_port

HTTP = (
    "payments_psp stripe {",
    "payments_retry register fixed base=10ms jitter=0 limit=3;\n"
    "    payments_psp stripe {",
)


@pytest.fixture
def nobody_there(stack):
    """Stripe with a line of its own, generic without; neither is there."""
    mock = stack.gateway.mock_url
    edits = []
    for name, line in (("stripe", "retry register cancel;"), ("generic", "")):
        old = f"base_url           {mock}/{name};"
        new = f"base_url http://127.0.0.1:{free_port()}; {line}"
        edits.append((old, new))
    stack.configure(QUICK_JOBS, HTTP, *edits)
    yield
    stack.configure()


@pytest.mark.usefixtures("nobody_there")
@pytest.mark.parametrize(
    ("psp", "reason", "attempts"),
    [("stripe", "cancelled", 1), ("generic", "retry_limit", 3)],
)
def test_a_psp_goes_by_its_own_line_else_by_the_http_blocks(
    stack, psp, reason, attempts
):
    body = stack.order(psp)
    assert stack.post(body).status_code == 202

    def letter():
        return stack.sql(
            "SELECT kind, reason, attempts FROM pay.dead_letter"
            " WHERE checkout_id = %s",
            body["checkout_id"],
        )

    assert wait_for(letter, "a dead letter") == [("register", reason, attempts)]
