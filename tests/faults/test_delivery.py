"""Deliveries of events while names and clocks lie to the gateway."""

import random
import subprocess
import time
from pathlib import Path

import pytest
from rig.machine import set_clock, with_clock
from rig.scene import Scene
from support.own_stack import new_id, wait_for
from support.receiver import OK, Receiver, Shop
from support.tls_psp import shop_authority

SOURCE = Path(__file__).parent / "rig/names.c"
NAME = "hooks.shop.test"
LOOPBACK = "127.0.0.1"
# a connection to it reaches this machine, and it is no address of it
NOBODY = "0.0.0.0"  # noqa: S104
LATE_S = 300  # what the specification tolerates
DIRECTIVE = "payments_webhook_endpoints hosts=loopback;"


@pytest.fixture(scope="module")
def authority():
    with shop_authority() as made:
        yield made


def directive(authority) -> tuple[str, str]:
    return (
        DIRECTIVE,
        "payments_webhook_endpoints hosts=loopback interval=50ms "
        f'"ca_file={authority.file}";',
    )


@pytest.fixture
def shop(stack):
    shop = Shop(stack)
    yield shop
    for made in shop.get("/v1/webhook-endpoints")["endpoints"]:
        if made["state"] == "enabled":
            shop.act(made, "disable")


def delivered(shop, made) -> int:
    return sum(
        each["state"] == "delivered" for each in shop.deliveries(made)
    )


def failures(shop, made) -> list[str]:
    return [
        attempt["failure"]
        for each in shop.deliveries(made)
        for attempt in each["failed_attempts"]
    ]


class Names:
    """The name leads where lead() says, from the next look-up on."""

    def __init__(self, directory: Path):
        self.library = directory / "names.so"
        self.file = directory / "names.address"
        command = ["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC"]
        subprocess.run([*command, SOURCE, "-o", self.library], check=True)

    def lead(self, address: str) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(address)
        new.chmod(0o644)
        new.replace(self.file)


def named(stack, authority) -> Names:
    """Boots the gateway with names that the test leads, to loopback first."""
    names = Names(stack.gateway.run)
    names.lead(LOOPBACK)
    stack.configure(directive(authority))
    stack.boot(
        str(names.library), PAY_NAME=NAME, PAY_NAME_FILE=str(names.file)
    )
    return names


def test_a_name_is_judged_at_each_connection(stack, authority, shop):
    """It led to an allowed address when the endpoint was made and tested;
    libcurl remembers that for a time, new workers do not."""
    names = named(stack, authority)
    receiver = Receiver(authority, NAME)
    try:
        path = f"/{new_id()}"
        made = shop.make(f"https://{NAME}:{receiver.port}{path}")
        shop.act(made, "test")
        wait_for(lambda: delivered(shop, made) == 1, "the delivery")
        names.lead(NOBODY)
        stack.relieve()
        shop.act(made, "test")
        wait_for(lambda: failures(shop, made), "the refusal")
        assert set(failures(shop, made)) == {"private-address"}
        assert len(receiver.got(path)) == 1
        names.lead(LOOPBACK)
        stack.relieve()
        shop.now(made)
        wait_for(lambda: delivered(shop, made) == 2, "the second delivery")
        assert len(receiver.got(path)) == 2
    finally:
        receiver.close()


def test_a_nameserver_that_is_silent_stops_no_worker(stack, authority, shop):
    """The attempt ends in its time while the look-up goes on, and the worker
    has answered others all along."""
    names = named(stack, authority)
    receiver = Receiver(authority, NAME)
    try:
        made = shop.make(f"https://{NAME}:{receiver.port}/{new_id()}")
        names.lead("wait")
        stack.relieve()
        shop.act(made, "test")
        wait_for(lambda: failures(shop, made), "the end of the attempt")
        assert stack.is_ready()
        names.lead(LOOPBACK)
        shop.now(made)
        wait_for(lambda: delivered(shop, made) == 1, "the delivery")
    finally:
        names.lead(LOOPBACK)
        receiver.close()


class Careful(Receiver):
    """Refuses what was not signed within the tolerated time."""

    is_busy = False

    def next_answer(self, method, path, fields, body):
        if self.is_busy:
            return (503, {}, b"not now")
        age = abs(time.time() - int(fields["webhook-timestamp"]))
        return OK if age < LATE_S else (400, {}, b"too old, or too new")


@pytest.mark.parametrize("offset", ("-2h", "+2h"))
def test_a_wrong_clock_delays_and_loses_nothing(
    stack, authority, shop, offset, seed
):
    """Storefronts refuse its signatures, as it refuses their tokens; it tries
    again, and when the clock is right they take the message."""
    scene = Scene(stack, random.Random(seed), "M6")
    with_clock(scene, directive(authority))
    receiver = Careful(authority)
    try:
        path = f"/{new_id()}"
        made = shop.make(receiver.url(path))
        receiver.is_busy = True
        shop.act(made, "test")
        wait_for(lambda: failures(shop, made), "the first attempt")
        receiver.is_busy = False
        set_clock(stack, offset)
        shop.now(made)
        wait_for(lambda: len(receiver.got(path)) == 2, "the second attempt")
        set_clock(stack, "+0")
        wait_for(lambda: len(failures(shop, made)) == 2, "its refusal")
        assert failures(shop, made) == ["status", "status"]
        assert shop.endpoint(made)["state"] == "enabled"
        shop.now(made)
        wait_for(lambda: delivered(shop, made) == 1, "the delivery")
        first, _, last = receiver.got(path)
        assert first.event == last.event
        assert last.verify(made["secret"]) == last.event
    finally:
        set_clock(stack, "+0")
        receiver.close()
