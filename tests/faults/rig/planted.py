"""Bugs that are planted for the positive controls (test_controls.py): in the
functions of one stack's database, and in a module that is built beside the
real one.
"""

import os
import signal

from support.gateway import ROOT
from support.own_stack import alive, wait_for
from support.planted import planted_module

# apply_event keeps the message in a transaction of its own.
OUTSIDE = """
CREATE EXTENSION dblink;
ALTER FUNCTION pay.insert_webhooks RENAME TO insert_webhooks_apart;
CREATE FUNCTION pay.insert_webhooks(
    p_facts pay.fact[], p_fact text[], p_digest bytea[], p_count bigint)
RETURNS int[] LANGUAGE sql SECURITY DEFINER AS $$
SELECT answer FROM public.dblink('{dsn}?options=-csearch_path%%3Dpay', format(
    'SELECT insert_webhooks_apart(%%L::fact[], %%L::text[], %%L::bytea[], %%L)',
    p_facts, p_fact, p_digest, p_count)) AS t (answer int[])
$$;
"""
# A call whose worker died is sent again under another key, or counts as
# refused.
KEYS = ("payout_call_row", "p.attempt", "p_row.calls")
LOST = ("claim_payout_call", "'unknown', 'lost'", "'refused', 'lost'")
BUILD = ROOT / "build" / "faults"
FLOW = ROOT / "src" / "flow" / "flow_webhook.c"
COMMIT = """
    return pay_do_event(flow, webhook->in.psp, "webhook",
                        &webhook->events[webhook->next++], webhook->digest,
                        effect, webhook_applied);
"""
EARLY = """
    PAY_TRY(pay_do_event(flow, webhook->in.psp, "webhook",
                         &webhook->events[webhook->next++], webhook->digest,
                         effect, webhook_applied));
    {
        pay_reply_t  *early;

        PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &early));
        early->body = PAY_STR("{}");
        effect->reply = early;
    }

    return PAY_OK;
"""


def outside_the_transaction(stack) -> None:
    stack.sql(OUTSIDE.format(dsn=stack.values["PG_ADMIN_DSN"]))


def rewritten(stack, function: str, old: str, new: str) -> None:
    """A function of pay in that stack's database, with other text in it."""
    name = f"pay.{function}"
    text = stack.value("SELECT pg_get_functiondef(%s::regproc)", name)
    assert text.count(old) == 1, f"the text of {name} to plant the bug in"
    text = text.replace(old, new).replace("%", "%%")
    stack.sql(f"SET search_path = pay; {text}; RESET search_path")


def build_early_answer(directory):
    """A module that answers webhooks before it stores them: → its file"""
    return planted_module(BUILD, FLOW, COMMIT, EARLY, directory)


class Planted:
    """with Planted(stack): its nginx has that bug."""

    def __init__(self, stack):
        self.stack = stack

    def __enter__(self):
        module = build_early_answer(self.stack.gateway.run)
        self._exchange(self.stack.gateway.module, str(module))

    def __exit__(self, *_):
        module = self.stack.gateway.run / "planted.so"
        self._exchange(str(module), self.stack.gateway.module)

    def _exchange(self, old: str, new: str) -> None:
        stack = self.stack
        master = stack.master()
        os.kill(master, signal.SIGQUIT)
        wait_for(lambda: not alive(master), "a graceful stop")
        text = stack.gateway.conf.read_text()
        assert old in text
        stack.gateway.conf.write_text(text.replace(old, new))
        stack.start_nginx()
