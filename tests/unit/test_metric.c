/*
 * The text of metrics: what Prometheus reads.
 */

#include "torture.h"
#include "pay_metric.h"


Test(pay_metric, writes_families_series_and_labels)
{
    pay_buf_t    buf;
    pay_str_t    text;

    pay_buf_init(&buf, test_arena(), 4096);
    pay_metric_family(&buf, "a_total", "counter", "What is counted.");
    pay_metric_series(&buf, "a_total", "psp", PAY_STR("stripe"));
    pay_metric_more(&buf, "why", PAY_STR("busy"));
    pay_metric_end(&buf, 7);
    pay_metric_simple(&buf, "b", 0);

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_assert(pay_str_is(text,
                         "# HELP a_total What is counted.\n"
                         "# TYPE a_total counter\n"
                         "a_total{psp=\"stripe\",why=\"busy\"} 7\n"
                         "b 0\n"), "%.*s", pay_fmt(text));
}


/* else a name ends its label, and writes series of its own */
Test(pay_metric, escapes_a_label)
{
    pay_buf_t    buf;
    pay_str_t    text;

    pay_buf_init(&buf, test_arena(), 4096);
    pay_metric_series(&buf, "a", "b", PAY_STR("x\"} 1\n\\"));
    pay_metric_end(&buf, 2);

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_assert(pay_str_is(text, "a{b=\"x\\\"} 1\\n\\\\\"} 2\n"), "%.*s",
              pay_fmt(text));
}
