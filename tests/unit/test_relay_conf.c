/*
 * The relay's file: its defaults, each key and its bounds, and the refusals.
 * tests/kafka/test_relay_file.py has the same by the program.
 */

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "relay/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define WHOLE  "bootstrap.servers=k:9092\nrelay.topic=payments\n"

static relay_conf_t  conf;


/* 1: it is taken; `conf` has it until the test ends, in a process of its
 * own. */
static int
takes(const char *text, size_t size, mode_t mode)
{
    int   fd, ok;
    char  path[] = "/tmp/relay-conf.XXXXXX";

    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, size), (ssize_t) size);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);

    relay_conf_free(&conf);
    ok = relay_conf_read(&conf, path);
    unlink(path);

    return ok;
}


static int
takes_text(const char *text)
{
    return takes(text, strlen(text), 0600);
}


static int
takes_line(const char *line)
{
    char  text[2 * RELAY_TEXT + 512];

    snprintf(text, sizeof(text), "%s%s\n", WHOLE, line);

    return takes_text(text);
}


static void
expect_kafka(const char *key, const char *expected)
{
    char    value[RELAY_TEXT];
    size_t  size = sizeof(value);

    cr_assert_eq(rd_kafka_conf_get(conf.kafka, key, value, &size),
                 RD_KAFKA_CONF_OK, "%s", key);
    cr_expect_str_eq(value, expected, "%s: %s", key, value);
}


TestSuite(relay_conf, .init = cr_redirect_stderr);


Test(relay_conf, the_defaults_are_those_of_the_document)
{
    cr_assert(takes_text(WHOLE));
    cr_expect_str_eq(conf.topic, "payments");
    cr_expect_str_eq(conf.name, "kafka");
    cr_expect_str_eq(conf.database, "");
    cr_expect_eq(conf.batch, 1000);
    cr_expect_eq(conf.lease_ms, 30000);
    cr_expect_eq(conf.poll_ms, 100);
    cr_expect_eq(conf.stop_ms, 10000);
    cr_expect_eq(conf.is_debug, 0);
    expect_kafka("client.id", "payments-relay");
    expect_kafka("partitioner", "murmur2_random");
    expect_kafka("linger.ms", "5");
}


/* The order and the durability of messages hang on them. */
Test(relay_conf, some_keys_of_librdkafka_are_always_the_same)
{
    size_t  i;

    static const char  *const fixed[][2] = {
        { "enable.idempotence", "true" }, { "acks", "all" },
        { "enable.gapless.guarantee", "true" }, { "message.timeout.ms", "0" }
    };
    static const char  *const refused[] = {
        "enable.idempotence=false", "acks=1", "acks=0",
        "enable.gapless.guarantee=false", "message.timeout.ms=1",
        "request.required.acks=1", "delivery.timeout.ms=1",
        "transactional.id=x", "retries=0", "message.send.max.retries=0"
    };

    cr_assert(takes_text(WHOLE));
    expect_kafka("enable.idempotence", "true");
    expect_kafka("acks", "-1");
    expect_kafka("enable.gapless.guarantee", "true");
    expect_kafka("message.timeout.ms", "0");

    for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        char  line[64];

        snprintf(line, sizeof(line), "%s=%s", fixed[i][0], fixed[i][1]);
        cr_expect(takes_line(line), "%s", line);
    }

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        cr_expect_not(takes_line(refused[i]), "%s", refused[i]);
    }
}


/* The form with "_random" has another partition for a message without a key,
 * and there is none. */
Test(relay_conf, a_partitioner_keeps_a_key_in_one_partition)
{
    size_t  i;
    char    line[64];

    static const char  *const taken[] = {
        "murmur2", "murmur2_random", "consistent", "consistent_random",
        "fnv1a", "fnv1a_random"
    };

    cr_assert(takes_text(WHOLE));
    cr_expect_eq(conf.partitioner, rd_kafka_msg_partitioner_murmur2);

    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        snprintf(line, sizeof(line), "partitioner=%s", taken[i]);
        cr_expect(takes_line(line), "%s", line);
        cr_expect_not_null(conf.partitioner);
    }

    cr_expect_not(takes_line("partitioner=random"));
    cr_expect_not(takes_line("partitioner=none"));
}


Test(relay_conf, a_line_is_key_and_value_with_blanks_and_comments)
{
    cr_assert(takes_text("# of a test\n\n \t\n"
                         "  bootstrap.servers \t=  k:9092  \r\n"
                         "relay.topic=pay=ments\n"
                         "relay.database = host=/run dbname=x user=y\n"
                         "  # relay.batch = 7\n"
                         "linger.ms=50"));
    cr_expect_str_eq(conf.topic, "pay=ments");
    cr_expect_str_eq(conf.database, "host=/run dbname=x user=y");
    cr_expect_eq(conf.batch, 1000);
    expect_kafka("bootstrap.servers", "k:9092");
    expect_kafka("linger.ms", "50");

    cr_expect_not(takes_line("relay.batch"));
    cr_expect_not(takes_line("= 7"));
    cr_expect_not(takes_line("relay.unknown = 7"));
    cr_expect_not(takes_line("relay. = 7"));
    cr_expect_not(takes_line("no.such.key = 7"));
}


Test(relay_conf, a_number_has_its_bounds)
{
    size_t  i, j;
    char    line[128];

    static const struct {
        const char  *key;
        int          least;
        int          most;
        int         *field;
    } numbers[] = {
        { "relay.batch", 1, 10000, &conf.batch },
        { "relay.lease_ms", 1000, 3600000, &conf.lease_ms },
        { "relay.poll_ms", 10, 60000, &conf.poll_ms },
        { "relay.stop_ms", 0, 600000, &conf.stop_ms }
    };
    static const char  *const none[] = {
        "", "x", "7x", "0x10", "1e3", "1.5", "99999999999999999999", "-1",
        "2147483648000", "10 10"
    };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(line, sizeof(line), "%s=%d", numbers[i].key,
                 numbers[i].least);
        cr_expect(takes_line(line), "%s", line);
        cr_expect_eq(*numbers[i].field, numbers[i].least);

        snprintf(line, sizeof(line), "%s=%d", numbers[i].key, numbers[i].most);
        cr_expect(takes_line(line), "%s", line);
        cr_expect_eq(*numbers[i].field, numbers[i].most);

        snprintf(line, sizeof(line), "%s=%d", numbers[i].key,
                 numbers[i].least - 1);
        cr_expect_not(takes_line(line), "%s", line);

        snprintf(line, sizeof(line), "%s=%d", numbers[i].key,
                 numbers[i].most + 1);
        cr_expect_not(takes_line(line), "%s", line);

        for (j = 0; j < sizeof(none) / sizeof(none[0]); j++) {
            snprintf(line, sizeof(line), "%s=%s", numbers[i].key, none[j]);
            cr_expect_not(takes_line(line), "%s", line);
        }
    }
}


/* A topic has 249 bytes at most in Kafka; nothing is cut. */
Test(relay_conf, a_text_fits_or_is_refused)
{
    size_t  i;
    char    line[2 * RELAY_TEXT];

    static const struct {
        const char  *key;
        size_t       most;
        const char  *field;
    } texts[] = {
        { "relay.topic=", sizeof(conf.topic) - 1, conf.topic },
        { "relay.name=", sizeof(conf.name) - 1, conf.name },
        { "relay.database=", sizeof(conf.database) - 1, conf.database }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        memset(line, 't', sizeof(line));
        memcpy(line, texts[i].key, strlen(texts[i].key));
        line[strlen(texts[i].key) + texts[i].most] = '\0';
        cr_expect(takes_line(line), "%s", texts[i].key);
        cr_expect_eq(strlen(texts[i].field), texts[i].most);

        memset(line, 't', sizeof(line));
        memcpy(line, texts[i].key, strlen(texts[i].key));
        line[strlen(texts[i].key) + texts[i].most + 1] = '\0';
        cr_expect_not(takes_line(line), "%s", texts[i].key);
    }
}


Test(relay_conf, a_line_that_is_too_long_is_not_read_as_two)
{
    char  line[2 * RELAY_TEXT];

    memset(line, ' ', sizeof(line));
    memcpy(line, "#", 1);
    memcpy(line + sizeof(line) - 17, "\0", 1);
    cr_expect_not(takes_line(line));
}


Test(relay_conf, topic_name_and_brokers_must_be_there)
{
    cr_expect_not(takes_text(""));
    cr_expect_not(takes_text("bootstrap.servers=k:9092\n"));
    cr_expect_not(takes_text("relay.topic=payments\n"));
    cr_expect_not(takes_line("relay.topic="));
    cr_expect_not(takes_line("relay.name="));
    cr_expect_not(takes_line("bootstrap.servers="));
}


Test(relay_conf, a_file_that_others_may_open_is_refused)
{
    size_t  i;

    static const mode_t  open_to_all[] = { 0604, 0602, 0601, 0644, 0666 };
    static const mode_t  private[] = { 0600, 0400, 0640, 0660 };

    for (i = 0; i < sizeof(open_to_all) / sizeof(open_to_all[0]); i++) {
        cr_expect_not(takes(WHOLE, strlen(WHOLE), open_to_all[i]));
    }

    for (i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
        cr_expect(takes(WHOLE, strlen(WHOLE), private[i]));
    }

    relay_conf_free(&conf);
    cr_expect_not(relay_conf_read(&conf, "/nowhere/relay.conf"));
}


/* All that was written so far. */
static void
written(char *text, size_t size)
{
    ssize_t  n;

    fflush(stderr);
    n = read(fileno(cr_get_redirected_stderr()), text, size - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
}


/* librdkafka quotes the value that it refuses. */
Test(relay_conf, a_refusal_has_no_value)
{
    char  text[4096];

    cr_expect_not(takes_line("sasl.mechanisms=PLAIN\n"
                             "ssl.key.password.wrong=geheim"));
    cr_expect_not(takes_line("linger.ms=geheim"));
    cr_expect_not(takes_line("acks=geheim"));
    cr_expect_not(takes_line("relay.batch=geheim"));
    cr_expect_not(takes_line("geheim"));
    written(text, sizeof(text));
    cr_expect_not_null(strstr(text, "linger.ms"));
    cr_expect_null(strstr(text, "geheim"), "%s", text);
}


/* Bytes that no editor writes end as a refusal or as a file, never as a crash;
 * `make asan` has sanitizers look on. */
Test(relay_conf, any_bytes_are_read_or_refused)
{
    size_t         i, n;
    unsigned       state = 1;
    unsigned char  bytes[3000];

    for (n = 0; n < 300; n++) {
        for (i = 0; i < sizeof(bytes); i++) {
            state = state * 1103515245 + 12345;
            bytes[i] = (unsigned char) (state >> 16);
        }

        memcpy(bytes, WHOLE, strlen(WHOLE));
        memcpy(bytes + strlen(WHOLE), "relay.name", 10);
        (void) takes((const char *) bytes, n * 10, 0600);
    }
}


Test(relay_conf, debug_lets_librdkafka_write)
{
    cr_assert(takes_line("debug=broker"));
    cr_expect_eq(conf.is_debug, 1);
}


Test(relay_conf, it_is_freed_once)
{
    cr_assert(takes_text(WHOLE));
    relay_conf_free(&conf);
    cr_expect_null(conf.kafka);
    relay_conf_free(&conf);
}
