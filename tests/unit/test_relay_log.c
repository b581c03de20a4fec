/*
 * The relay's lines: one for each reason, until things went well; and the
 * advice that each error of Kafka has.
 */

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "relay/advice.h"
#include "relay/log.h"

#include <string.h>


Test(relay_log, a_reason_is_new_once_until_things_go_well)
{
    relay_log_t  log = { .count = 0 };

    cr_expect(relay_log_is_new(&log, 7));
    cr_expect_not(relay_log_is_new(&log, 7));
    cr_expect(relay_log_is_new(&log, -7));
    cr_expect(relay_log_is_new(&log, 0));
    cr_expect_not(relay_log_is_new(&log, 0));
    relay_log_forget(&log);
    cr_expect(relay_log_is_new(&log, 7));
}


/* A reason more than are remembered is written rather than lost. */
Test(relay_log, more_reasons_than_are_remembered_are_new_each_time)
{
    int          i;
    relay_log_t  log = { .count = 0 };

    for (i = 0; i < RELAY_REASONS; i++) {
        cr_expect(relay_log_is_new(&log, i));
    }

    cr_expect(relay_log_is_new(&log, 1000));
    cr_expect(relay_log_is_new(&log, 1000));
    cr_expect_not(relay_log_is_new(&log, RELAY_REASONS - 1));
}


Test(relay_log, a_line_has_its_level, .init = cr_redirect_stderr)
{
    relay_log("warn", "lost the lease, reader:%s, lag:%d", "kafka", 7);
    cr_assert_stderr_eq_str(
        "payments-relay: warn: lost the lease, reader:kafka, lag:7\n");
}


Test(relay_log, a_long_line_is_cut_and_ends, .init = cr_redirect_stderr)
{
    char    text[4096];
    char    expected[4096] = "payments-relay: info: ";
    size_t  begin = strlen(expected);

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    relay_log("info", "%s", text);

    memset(expected + begin, 'x', 2047);
    memcpy(expected + begin + 2047, "\n", 2);
    cr_assert_stderr_eq_str(expected);
}


Test(relay_advice, an_error_names_its_remedy_and_level)
{
    size_t  i;

    static const struct {
        rd_kafka_resp_err_t  error;
        const char          *level;
        const char          *words;
    } cases[] = {
        { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "error",
          "create the topic" },
        { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "error", "create the topic" },
        { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "error",
          "Describe and Write" },
        { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "error",
          "IdempotentWrite" },
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "error", "max.message.bytes" },
        { RD_KAFKA_RESP_ERR__AUTHENTICATION, "error", "password" },
        { RD_KAFKA_RESP_ERR__SSL, "error", "host name" },
        { RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "warn", "nothing" },
        { RD_KAFKA_RESP_ERR__TRANSPORT, "warn", "nothing" },
        { RD_KAFKA_RESP_ERR__RESOLVE, "warn", "bootstrap.servers" },
        { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "warn",
          "a new producer" },
        { RD_KAFKA_RESP_ERR_NO_ERROR, "warn", "a new producer" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_str_eq(relay_advice_level(cases[i].error), cases[i].level,
                         "%s", rd_kafka_err2name(cases[i].error));
        cr_expect_not_null(strstr(relay_advice(cases[i].error),
                                  cases[i].words),
                           "%s", rd_kafka_err2name(cases[i].error));
    }
}


/* A line of the log ends with it, and "," divides its parts. */
Test(relay_advice, every_error_has_one)
{
    size_t                            i, count;
    const char                       *advice;
    const struct rd_kafka_err_desc   *all;

    rd_kafka_get_err_descs(&all, &count);
    cr_assert_gt(count, 100);

    for (i = 0; i < count; i++) {
        advice = relay_advice(all[i].code);
        cr_expect_neq(advice[0], '\0');
        cr_expect_null(strchr(advice, '\n'));
        cr_expect_neq(advice[strlen(advice) - 1], '.');
    }
}
