"""A real Kafka broker of one node, with its controller in the same process.

Its jars are those of build/kafka (ci/install --kafka).  It listens on the
loopback only: in plain text and over TLS, where anybody is a superuser, and
with SASL, in plain text and over TLS, where the relay's user may do what the
ACLs of a test allow.  A last listener has the certificate of another host.
"""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from support.ports import free_port
from support.waiting import wait_for

from .certificates import Authority

ROOT = Path(__file__).resolve().parents[3]
LIB = ROOT / "build" / "kafka" / "lib"
CLUSTER = "cGF5bWVudHMtb2YtdGVzdA"
USER, PASSWORD = "relay", "of-the-test"
# quick to start on a loaded machine; a heap that a test can afford
JAVA = (
    "java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    " -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp"
).split()
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{sasl},\
SSL://127.0.0.1:{tls},SASL_SSL://127.0.0.1:{both},OTHER://127.0.0.1:{other},\
CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},\
SASL_PLAINTEXT://127.0.0.1:{sasl},SSL://localhost:{tls},\
SASL_SSL://localhost:{both},OTHER://localhost:{other}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,\
SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,OTHER:SSL
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
listener.name.other.ssl.keystore.type=PEM
listener.name.other.ssl.keystore.location={other_certificate}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
log.dirs={data}
num.partitions=8
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=65536
auto.create.topics.enable=false
"""


class Broker:
    def __init__(self, place: Path):
        self.place = place
        ports = [free_port() for _ in range(6)]
        self.plain, self.sasl, self.tls, self.both, self.other = ports[:5]
        self.authority = Authority(place, "kafka-ca")
        self.data = place / "data"
        self.properties = place / "server.properties"
        self.properties.write_text(
            PROPERTIES.format(
                plain=self.plain,
                sasl=self.sasl,
                tls=self.tls,
                both=self.both,
                other=self.other,
                controller=ports[5],
                certificate=self.authority.server("localhost"),
                other_certificate=self.authority.server("other.example"),
                data=self.data,
                user=USER,
                password=PASSWORD,
            )
        )
        self.log = (place / "log").open("ab")
        self.process = None
        assert LIB.is_dir(), "no broker: run ci/install --kafka"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.plain}"

    @property
    def sasl_address(self) -> str:
        return f"127.0.0.1:{self.sasl}"

    def java(self, *words) -> list[str]:
        return [*JAVA, f"{LIB}/*", *map(str, words)]

    def format(self) -> None:
        subprocess.run(
            self.java(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c",
                self.properties,
            ),
            stdout=self.log, stderr=self.log, check=True, timeout=120,
        )  # fmt: skip

    def start(self, file_bytes: int | None = None) -> None:
        """file_bytes: no file of it grows larger; a full disk otherwise."""
        if not (self.data / "meta.properties").exists():
            self.format()
        limit = ["prlimit", f"--fsize={file_bytes}"] if file_bytes else []
        self.process = subprocess.Popen(
            [*limit, *self.java("kafka.Kafka", self.properties)],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        wait_for(self.listens, 240, f"Kafka, see {self.log.name}")

    def listens(self) -> bool:
        assert self.process.poll() is None, Path(self.log.name).read_text()
        with socket.socket() as each:
            return each.connect_ex(("127.0.0.1", self.sasl)) == 0

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> None:
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        self.log.close()

    # Topics, by its own administrator.

    @functools.cached_property
    def admin(self) -> AdminClient:
        """Kept: its end would end what it has begun."""
        quiet = {"log_level": 2}  # a broker that is killed is no news
        return AdminClient({"bootstrap.servers": self.address} | quiet)

    def create_topic(self, name: str, partitions: int = 8, **config) -> None:
        settings = {key.replace("_", "."): v for key, v in config.items()}
        new = NewTopic(name, partitions, 1, config=settings)
        self.admin.create_topics([new])[name].result(60)

    def set_topic(self, name: str, key: str, value: str) -> None:
        resource = ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(
                    key,
                    value,
                    incremental_operation=AlterConfigOpType.SET,
                )
            ],
        )
        made = self.admin.incremental_alter_configs([resource])
        made[resource].result(60)

    def allow(self, topic: str, *operations: str) -> None:
        """The relay's user may do these to the topic."""
        made = self.admin.create_acls(
            [
                AclBinding(
                    ResourceType.TOPIC,
                    topic,
                    ResourcePatternType.LITERAL,
                    f"User:{USER}",
                    "*",
                    AclOperation[operation],
                    AclPermissionType.ALLOW,
                )
                for operation in operations
            ]
        )
        for each in made.values():
            each.result(60)


@contextlib.contextmanager
def broker():
    with tempfile.TemporaryDirectory(prefix="payments-kafka.") as place:
        made = Broker(Path(place))
        try:
            made.start()
            yield made
        finally:
            made.close()
