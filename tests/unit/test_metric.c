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


static pay_str_t
opened(const char *text)
{
    pay_buf_t  buf;
    pay_str_t  out;

    pay_buf_init(&buf, test_arena(), 4096);
    pay_metric_open(&buf, pay_str_of(text));
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);

    return out;
}


Test(pay_metric, makes_openmetrics_of_the_text)
{
    pay_str_t  text = opened("# HELP a_total What is counted in a_total.\n"
                             "# TYPE a_total counter\n"
                             "a_total{b=\"x\"} 7\n"
                             "# HELP c_seconds How long.\n"
                             "# TYPE c_seconds histogram\n"
                             "c_seconds_bucket{le=\"0.5\"} 1\n"
                             "c_seconds_bucket{le=\"1\"} 2\n"
                             "c_seconds_bucket{d=\"e\",le=\"10\"} 2\n"
                             "c_seconds_bucket{le=\"+Inf\"} 2\n");

    cr_assert(pay_str_is(text,
                         "# HELP a What is counted in a_total.\n"
                         "# TYPE a counter\n"
                         "a_total{b=\"x\"} 7\n"
                         "# HELP c_seconds How long.\n"
                         "# TYPE c_seconds histogram\n"
                         "c_seconds_bucket{le=\"0.5\"} 1\n"
                         "c_seconds_bucket{le=\"1.0\"} 2\n"
                         "c_seconds_bucket{d=\"e\",le=\"10.0\"} 2\n"
                         "c_seconds_bucket{le=\"+Inf\"} 2\n"
                         "# EOF\n"), "%.*s", pay_fmt(text));
}


/* a name of the configuration must not look like a bound */
Test(pay_metric, openmetrics_leaves_the_values_of_labels_alone)
{
    pay_str_t  text = opened("a{b=\"x,le=\\\"5\"} 1\n");

    cr_assert(pay_str_is(text, "a{b=\"x,le=\\\"5\"} 1\n# EOF\n"), "%.*s",
              pay_fmt(text));
}


Test(pay_metric, openmetrics_of_nothing_has_an_end)
{
    cr_assert(pay_str_is(opened(""), "# EOF\n"));
}


Test(pay_metric, writes_an_exemplar_behind_its_number)
{
    pay_buf_t       buf;
    pay_str_t       text;
    pay_exemplar_t  one = { PAY_STR("0190-r"), PAY_STR("abcd"), 1020030,
                            1700000000007 };

    pay_buf_init(&buf, test_arena(), 4096);
    pay_metric_series(&buf, "a_bucket", "le", PAY_STR("5"));
    pay_metric_end_seen(&buf, 3, &one);
    one.trace_id.len = 0;
    pay_metric_series(&buf, "a_bucket", "le", PAY_STR("10"));
    pay_metric_end_seen(&buf, 4, &one);
    pay_metric_series(&buf, "a_bucket", "le", PAY_STR("+Inf"));
    pay_metric_end_seen(&buf, 4, NULL);

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_assert(pay_str_is(text,
                         "a_bucket{le=\"5\"} 3 # {request_id=\"0190-r\","
                         "trace_id=\"abcd\"} 1.020030 1700000000.007\n"
                         "a_bucket{le=\"10\"} 4 # {request_id=\"0190-r\"} "
                         "1.020030 1700000000.007\n"
                         "a_bucket{le=\"+Inf\"} 4\n"), "%.*s",
              pay_fmt(text));
}


Test(pay_metric, openmetrics_is_for_those_who_name_it)
{
    size_t  i;
    static const struct {
        int          wants;
        const char  *accept;
    } cases[] = {
        /* Prometheus 2.42 and 2.30 */
        { 1, "application/openmetrics-text;version=1.0.0,"
             "application/openmetrics-text;version=0.0.1;q=0.75,"
             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1" },
        { 0, "application/openmetrics-text; version=0.0.1,"
             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1" },
        { 1, "application/openmetrics-text" },
        { 1, "APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.2" },
        { 1, "text/plain;q=0.5, application/openmetrics-text;q=0.5" },
        { 1, "*/*, application/openmetrics-text;charset=utf-8" },
        { 1, "text/plain;q=0, application/openmetrics-text;q=0.001" },
        { 1, ",, application/openmetrics-text;;q=1.000," },
        { 0, "" },
        { 0, "*/*" },
        { 0, "application/*" },
        { 0, "text/plain" },
        { 0, "text/html, */*;q=0.8" },
        { 0, "application/openmetrics-text;q=0" },
        { 0, "application/openmetrics-text;q=0.000, text/plain" },
        { 0, "application/openmetrics-text;q=0.4, text/plain;q=0.5" },
        { 0, "application/openmetrics-text;q=0.4, text/*;q=0.5" },
        { 0, "application/openmetrics-text;q=0.4, */*" },
        { 0, "application/openmetrics-text;version=1.0.0;q=0,"
             "application/openmetrics-text;q=1" },
        { 0, "application/openmetrics-text;version=2.0.0" },
        { 0, "application/openmetrics-text;q=2" },
        { 0, "application/openmetrics-text;q=1.001" },
        { 0, "application/openmetrics-text;q=0.12345" },
        { 0, "application/openmetrics-text;q=.5" },
        { 0, "application/openmetrics-text;q=high" },
        { 0, "application/openmetrics-texts" },
        { 0, "application/openmetrics-tex" },
        { 0, "xapplication/openmetrics-text" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(pay_metric_wants_open(pay_str_of(cases[i].accept)),
                     cases[i].wants, "%s", cases[i].accept);
    }
}


static pay_str_t
joined(const char *first, const char *second)
{
    pay_buf_t          buf;
    pay_str_t          out;
    pay_metric_part_t  parts[2] = {
        { PAY_STR("a"), pay_str_of(first) },
        { PAY_STR("b-2"), pay_str_of(second) }
    };

    pay_buf_init(&buf, test_arena(), 4096);
    cr_assert_eq(pay_metric_join(&buf, test_arena(), parts, 2), PAY_OK);
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);

    return out;
}


/* Prometheus refuses a family that stands twice */
Test(pay_metric, cells_share_the_families)
{
    pay_str_t  text;

    text = joined("# HELP x_total X.\n# TYPE x_total counter\nx_total 1\n"
                  "# HELP y Y {a} b.\n# TYPE y histogram\n"
                  "y_bucket{op=\"o\",le=\"1\"} 2 # {request_id=\"r\"} 3 4\n"
                  "y_sum{op=\"o\"} 5\n",
                  "# HELP x_total X.\n# TYPE x_total counter\nx_total 6\n"
                  "# HELP y Y {a} b.\n# TYPE y histogram\n"
                  "y_sum{op=\"o\"} 7\n");

    cr_assert(pay_str_is(text,
        "# HELP x_total X.\n# TYPE x_total counter\n"
        "x_total{cell=\"a\"} 1\nx_total{cell=\"b-2\"} 6\n"
        "# HELP y Y {a} b.\n# TYPE y histogram\n"
        "y_bucket{cell=\"a\",op=\"o\",le=\"1\"} 2 # {request_id=\"r\"} 3 4\n"
        "y_sum{cell=\"a\",op=\"o\"} 5\n"
        "y_sum{cell=\"b-2\",op=\"o\"} 7\n"), "%.*s", pay_fmt(text));
}


/* figures that are old are left out */
Test(pay_metric, a_cell_may_lack_a_family)
{
    pay_str_t    text;
    const char  *x = "# HELP x X.\n# TYPE x gauge\nx 1\n";
    const char  *xy = "# HELP y Y.\n# TYPE y gauge\ny 2\n"
                      "# HELP x X.\n# TYPE x gauge\nx 3\n"
                      "# HELP z Z.\n# TYPE z gauge\n";

    text = joined(x, xy);
    cr_assert(pay_str_is(text,
        "# HELP x X.\n# TYPE x gauge\nx{cell=\"a\"} 1\nx{cell=\"b-2\"} 3\n"
        "# HELP y Y.\n# TYPE y gauge\ny{cell=\"b-2\"} 2\n"
        "# HELP z Z.\n# TYPE z gauge\n"), "%.*s", pay_fmt(text));

    text = joined("", x);
    cr_assert(pay_str_is(text,
        "# HELP x X.\n# TYPE x gauge\nx{cell=\"b-2\"} 1\n"), "%.*s",
        pay_fmt(text));

    cr_assert_eq(joined("", "").len, 0);
}


static pay_status_t
join_again(pay_arena_t *arena, void *result)
{
    pay_buf_t          buf;
    pay_str_t          out;
    pay_metric_part_t  part = {
        PAY_STR("a"), PAY_STR("# HELP x X.\n# TYPE x gauge\nx 1\n")
    };

    (void) result;

    pay_buf_init(&buf, arena, 4096);
    PAY_TRY(pay_metric_join(&buf, arena, &part, 1));

    return pay_buf_done(&buf, &out);
}


Test(pay_metric, a_join_survives_a_lack_of_memory)
{
    torture(join_again, 0);
}
