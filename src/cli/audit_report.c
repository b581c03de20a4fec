/*
 * The report of payctl audit verify: the counts, the findings, and the verdict
 * in the last line.  Its readers are auditors.
 */

#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


static void report_copy(char *to, pay_str_t from);
static int by_line(const void *a, const void *b);
static void report_checked(const pay_audit_counts_t *counts,
    const pay_audit_conf_t *conf, int has_roots);
static void report_roots(const pay_audit_counts_t *counts);
static void report_finding(const audit_told_t *told);
static const char *plural(uint64_t number);


/* Keeps the twenty first findings in the order of the report.  The
 * twenty-first place is scratch: a new finding goes there, all are sorted, and
 * the last one drops out. Ids are copied and cut, since the finding ends with
 * this call. */
void
pay_cli_audit_found(void *data, const pay_audit_finding_t *finding)
{
    audit_told_t    *told;
    audit_report_t  *report = data;

    /* the last place is for the one that the others leave out */
    told = &report->told[report->count];
    told->finding = *finding;
    told->order = report->total;
    report_copy(told->merchant_id, finding->merchant_id);
    report_copy(told->payment_order_id, finding->payment_order_id);
    report_copy(told->key_id, finding->key_id);
    report->total++;

    if (report->count < AUDIT_FINDINGS_MAX) {
        report->count++;
        return;
    }

    qsort(report->told, AUDIT_FINDINGS_MAX + 1, sizeof(audit_told_t),
          by_line);
}


/* The last line is the verdict and names the first bad row: scripts and
 * auditors read that line. */
int
pay_cli_audit_report(const audit_report_t *report,
    const pay_audit_counts_t *counts, const pay_audit_conf_t *conf,
    int has_roots)
{
    unsigned        i;
    audit_report_t  sorted = *report;

    report_checked(counts, conf, has_roots);

    if (report->total == 0) {
        if (conf->is_part) {
            printf("valid (a part: nothing before seal %" PRId64
                   " was checked)\n", counts->first);

        } else {
            puts("valid");
        }

        return PAY_CLI_OK;
    }

    qsort(sorted.told, sorted.count, sizeof(audit_told_t), by_line);
    putchar('\n');

    for (i = 0; i < sorted.count; i++) {
        report_finding(&sorted.told[i]);
    }

    if (report->total > report->count) {
        printf("... and %" PRIu64 " more\n", report->total - report->count);
    }

    printf("\ninvalid: ");
    report_finding(&sorted.told[0]);

    return PAY_CLI_NO;
}


static void
report_copy(char *to, pay_str_t from)
{
    size_t  n = from.len < AUDIT_TOLD_MAX - 1 ? from.len : AUDIT_TOLD_MAX - 1;

    if (n != 0) {
        memcpy(to, from.data, n);
    }

    to[n] = '\0';
}


/* Findings about rows come before those about seals, since a finding about a
 * seal does not show which order it is about.  Then they follow the sequence of
 * the file; findings that need its end come last. */
static int
by_line(const void *a, const void *b)
{
    const audit_told_t  *one = a, *other = b;
    /* Line 0, a finding of the end, wraps to the largest number and sorts
     * last. */
    uint64_t             line = one->finding.line - 1;
    uint64_t             other_line = other->finding.line - 1;

    if ((one->merchant_id[0] == '\0') != (other->merchant_id[0] == '\0')) {
        return one->merchant_id[0] == '\0' ? 1 : -1;
    }

    if (line != other_line) {
        return line < other_line ? -1 : 1;
    }

    return one->order < other->order ? -1 : 1;
}


/* The report says its coverage before the verdict: "valid" over an empty file,
 * or over a tenth of the log, would mislead. */
static void
report_checked(const pay_audit_counts_t *counts, const pay_audit_conf_t *conf,
    int has_roots)
{
    size_t                  i;
    const pay_audit_key_t  *key;

    printf("events    %" PRIu64 " of %" PRIu64 " order%s\n", counts->events,
           counts->orders, plural(counts->orders));

    /* Lines about exceptions stand only where there are any. */
    if (counts->anchored != 0) {
        printf("anchors   %" PRIu64 " order%s in the middle\n",
               counts->anchored, counts->anchored == 1 ? " begins" : "s begin");
    }

    if (counts->seals == 0) {
        puts("seals     none");

    } else {
        printf("seals     %" PRIu64 " with %" PRIu64 " lea%s, number %" PRId64
               " of %s to %" PRId64 " of %s\n", counts->seals, counts->leaves,
               counts->leaves == 1 ? "f" : "ves", counts->first,
               counts->first_at, counts->last, counts->last_at);
    }

    /* A key that has signed nothing may be the wrong one: it is listed,
     * too. */
    for (i = 0; i < conf->key_count; i++) {
        key = &conf->keys[i];

        if (key->seals == 0) {
            printf("key       %s has signed none of them\n", key->id);

        } else {
            printf("key       %s has signed %" PRIu64 ", number %" PRId64
                   " to %" PRId64 "\n", key->id, key->seals, key->first,
                   key->last);
        }
    }

    if (has_roots) {
        report_roots(counts);
    }

    if (counts->pending != 0) {
        printf("pending   seal %" PRId64 " is begun and not signed yet\n",
               counts->pending);
    }

    if (counts->unsealed != 0) {
        printf("unsealed  %" PRIu64 " event%s newer than the last seal, %sof"
               " %s\n", counts->unsealed,
               counts->unsealed == 1 ? " is" : "s are",
               counts->unsealed == 1 ? "" : "the oldest ",
               counts->unsealed_at);
    }
}


/* A seal that was kept outside vouches for all before it. */
static void
report_roots(const pay_audit_counts_t *counts)
{
    if (counts->other_roots != 0) {
        printf("roots     %" PRIu64 " exported seal%s not of this part\n",
               counts->other_roots, counts->other_roots == 1 ? " is" : "s are");
    }

    if (counts->roots == 0) {
        puts("roots     no exported seal is one of these");
        return;
    }

    printf("roots     %" PRIu64 " seal%s as %s exported", counts->roots,
           counts->roots == 1 ? " is" : "s are",
           counts->roots == 1 ? "it was" : "they were");

    if (counts->last_root < counts->last) {
        printf("; those after number %" PRId64 " are not vouched for\n",
               counts->last_root);

    } else {
        puts(", the newest among them");
    }
}


/* Everything that came out of the file goes through pay_cli_put(). */
static void
report_finding(const audit_told_t *told)
{
    const pay_audit_finding_t  *finding = &told->finding;

    if (told->merchant_id[0] != '\0') {
        printf("merchant ");
        (void) pay_cli_put(stdout, told->merchant_id, AUDIT_TOLD_MAX);
        printf(" order ");
        (void) pay_cli_put(stdout, told->payment_order_id, AUDIT_TOLD_MAX);
        printf(" seq %" PRId64, finding->seq);

        if (finding->last_seq > finding->seq) {
            printf(" to %" PRId64, finding->last_seq);
        }

        printf(": ");
    }

    if (finding->number != 0) {
        printf("seal %" PRId64 ": ", finding->number);
    }

    if (finding->what == PAY_AUDIT_NO_ROW) {
        printf("line %" PRIu64 ": ", finding->line);
    }

    fputs(pay_audit_what_name(finding->what), stdout);

    if (told->key_id[0] != '\0') {
        putchar(' ');
        (void) pay_cli_put(stdout, told->key_id, AUDIT_TOLD_MAX);
    }

    printf(": %s", finding->why);

    /* The line helps an operator to find the row in the file; findings of the
     * end have none. */
    if (finding->line != 0 && finding->what != PAY_AUDIT_NO_ROW) {
        printf(" (line %" PRIu64 ")", finding->line);
    }

    putchar('\n');
}


static const char *
plural(uint64_t number)
{
    return number == 1 ? "" : "s";
}
