/*
 * Conformance of all formats of settlement files: what holds for each of them,
 * shown on every file of tests/fixtures/settle that has its rows beside it.
 */

#include "settle_world.h"
#include "torture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>


#define FILES_MAX    32
#define FORGED_SIZE  (30 * 1024 * 1024)
#define MEMORY_MAX   (4u * 1024 * 1024)

typedef struct {
    char  format[64];
    char  name[128];
} settle_file_t;

typedef void (*settle_check_pt)(const settle_file_t *file,
    const settle_text_t *bytes, const settle_read_t *whole);

/* An arena that counts. */
typedef struct {
    pay_heap_t  *heap;
    size_t       total;
} settle_meter_t;


static unsigned
files_of(const char *format, settle_file_t *files)
{
    DIR            *directory;
    char            path[256];
    char           *end;
    unsigned        count = 0;
    struct dirent  *entry;

    snprintf(path, sizeof(path), "tests/fixtures/settle/%s", format);
    directory = opendir(path);
    cr_assert_not_null(directory, "%s", path);

    while ((entry = readdir(directory)) != NULL) {
        end = strstr(entry->d_name, ".rows");

        if (end == NULL) {
            continue;
        }

        cr_assert_lt(count, FILES_MAX);
        snprintf(files[count].format, sizeof(files->format), "%s", format);
        snprintf(files[count].name, sizeof(files->name), "%.*s",
                 (int) (end - entry->d_name), entry->d_name);
        count++;
    }

    closedir(directory);
    cr_assert_gt(count, 0, "%s has no files", format);

    return count;
}


static void
for_each_file(settle_check_pt check)
{
    unsigned       n, i, count;
    settle_file_t  files[FILES_MAX];
    settle_text_t  bytes;
    settle_read_t  whole;

    for (n = 0; settle_format(n) != NULL; n++) {
        count = files_of(settle_format(n), files);

        for (i = 0; i < count; i++) {
            bytes = settle_fixture(files[i].format, files[i].name);
            settle_read(&whole, NULL, files[i].format, NULL, bytes.data,
                        bytes.len, 4096);
            cr_assert_eq(whole.status, PAY_OK, "%s/%s: %s, %s",
                         files[i].format, files[i].name,
                         settle_outcome(&whole), whole.refusal.expected);
            check(&files[i], &bytes, &whole);
            settle_free(&whole);
            free(bytes.data);
        }
    }
}


static void
same(const settle_file_t *file, const settle_read_t *read,
    const settle_read_t *whole, const char *how)
{
    cr_expect_str_eq(settle_outcome(read), settle_outcome(read));
    cr_expect_str_eq(read->dump.data, whole->dump.data, "%s/%s %s:\n%s\n%s",
                     file->format, file->name, how, read->dump.data,
                     settle_outcome(read));
}


static void
check_rows(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    char           name[160];
    settle_text_t  rows;

    (void) bytes;
    snprintf(name, sizeof(name), "%s.rows", file->name);
    rows = settle_fixture(file->format, name);
    cr_expect_str_eq(whole->dump.data, rows.data, "%s/%s:\n%s", file->format,
                     file->name, whole->dump.data);
    free(rows.data);
}


Test(pay_settle, a_file_gives_the_rows_that_stand_beside_it)
{
    for_each_file(check_rows);
}


/* The key is the sixth part of a row's line. */
static pay_str_t
key_of(const char *line)
{
    const char  *at = strchr(line, '|');

    at = at != NULL ? strchr(at + 1, '|') : NULL;
    at = at != NULL ? strchr(at + 1, '|') : NULL;
    cr_assert_not_null(at, "%s", line);

    return (pay_str_t) { strcspn(at + 1, "|"),
                         (const unsigned char *) at + 1 };
}


static void
check_keys(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    unsigned   i, count = 0;
    const char  *line = whole->dump.data;
    pay_str_t  keys[64];

    (void) bytes;

    while (*line != '\0' && *line != '=') {
        cr_assert_lt(count, sizeof(keys) / sizeof(keys[0]));
        keys[count] = key_of(line);

        for (i = 0; i < count; i++) {
            cr_expect_not(pay_str_eq(keys[i], keys[count]), "%s/%s: %.*s",
                          file->format, file->name, pay_fmt(keys[i]));
        }

        count++;
        line += strcspn(line, "\n") + 1;
    }
}


Test(pay_settle, no_two_rows_of_a_file_have_the_same_key)
{
    for_each_file(check_keys);
}


static void
check_pieces(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    size_t         i;
    settle_read_t  read;

    static const size_t  steps[] = { 1, 2, 3, 7, 64, 1000, 65536 };

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        settle_read(&read, NULL, file->format, NULL, bytes->data, bytes->len,
                    steps[i]);
        same(file, &read, whole, "in pieces");
        settle_free(&read);
    }
}


Test(pay_settle, pieces_of_any_size_give_the_same_rows)
{
    for_each_file(check_pieces);
}


/* The lines of statements that are proven. */
static void
check_proven(const settle_file_t *file, size_t len, const settle_read_t *cut,
    const settle_read_t *whole)
{
    char  *line, *rest = NULL;

    for (line = strtok_r(cut->dump.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
    {
        if (line[0] == '=' && strstr(line, "|proven") != NULL) {
            cr_expect_not_null(strstr(whole->dump.data, line),
                               "%s/%s cut at %zu: %s", file->format,
                               file->name, len, line);
        }
    }
}


/* What is left of a file must not pass for the whole: a statement of it that is
 * proven has all its rows.  Media that tell no total are never proven, and say
 * so. */
static void
check_cuts(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    size_t         len;
    settle_read_t  read;

    for (len = 0; len < bytes->len; len++) {
        settle_read(&read, NULL, file->format, NULL, bytes->data, len, 4096);
        cr_expect(read.status == PAY_OK || read.refusal.reason != NULL);

        if (read.status == PAY_OK) {
            check_proven(file, len, &read, whole);
        }

        settle_free(&read);
    }
}


Test(pay_settle, what_is_proven_of_a_file_that_was_cut_is_whole)
{
    for_each_file(check_cuts);
}


static void
check_nul(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    size_t         at;
    settle_read_t  read;
    settle_text_t  made = { NULL, 0, 0 };

    (void) whole;
    settle_text_add(&made, bytes->data, bytes->len);

    for (at = 0; at < bytes->len; at += 61) {
        made.data[at] = '\0';
        settle_read(&read, NULL, file->format, NULL, made.data, made.len,
                    4096);
        cr_expect_eq(read.status, PAY_INVALID, "%s/%s NUL at %zu",
                     file->format, file->name, at);
        settle_free(&read);
        made.data[at] = bytes->data[at];
    }

    free(made.data);
}


Test(pay_settle, a_nul_byte_is_refused_wherever_it_stands)
{
    for_each_file(check_nul);
}


static void
check_mark(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    settle_read_t  read;
    settle_text_t  made = { NULL, 0, 0 };

    settle_text_add(&made, "\xef\xbb\xbf", 3);
    settle_text_add(&made, bytes->data, bytes->len);
    settle_read(&read, NULL, file->format, NULL, made.data, made.len, 1);
    same(file, &read, whole, "behind a byte order mark");
    settle_free(&read);
    free(made.data);
}


Test(pay_settle, a_byte_order_mark_changes_nothing)
{
    for_each_file(check_mark);
}


static void
check_crlf(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    size_t         i, step;
    settle_read_t  read;
    settle_text_t  made = { NULL, 0, 0 };

    for (i = 0; i < bytes->len; i++) {
        if (bytes->data[i] == '\n') {
            settle_text_add(&made, "\r", 1);
        }

        settle_text_add(&made, bytes->data + i, 1);
    }

    for (step = 1; step <= 4096; step *= 64) {
        settle_read(&read, NULL, file->format, NULL, made.data, made.len,
                    step);
        same(file, &read, whole, "with CRLF");
        settle_free(&read);
    }

    free(made.data);
}


Test(pay_settle, lines_may_end_in_cr_lf)
{
    for_each_file(check_crlf);
}


/* A reader once took the CR for the end of a record and the bytes behind it,
 * when these stood in the same piece, for the beginning of the next line's. */
Test(pay_settle, a_cr_alone_ends_nothing_in_whatever_pieces)
{
    size_t         step;
    settle_read_t  read;

    static const char  file[] =
        "balance_transaction_id,created_utc,currency,gross,fee,net,"
        "reporting_category,source_id\n"
        "txn_a,2026-11-20 10:00:00,eur,12.00,0.30,11.70,charge,ch_1\r0003\n"
        "txn_b,2026-11-20 11:00:00,eur,12.00,0.30,11.70,charge,ch_2\n";

    for (step = 1; step <= sizeof(file); step++) {
        settle_read(&read, NULL, "stripe", NULL, file, sizeof(file) - 1, step);
        cr_expect(read.status == PAY_INVALID, "%zu", step);
        settle_free(&read);
    }
}


/* Any byte changed: no crash, and amounts of a proven file still add up. */
static void
check_bytes(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    size_t         at, i;
    settle_read_t  read;
    settle_text_t  made = { NULL, 0, 0 };

    static const char  other[] = "0-\",\n<{\xff";

    (void) whole;
    settle_text_add(&made, bytes->data, bytes->len);

    for (at = 0; at < bytes->len; at += 3) {
        for (i = 0; i < sizeof(other) - 1; i++) {
            made.data[at] = other[i];
            settle_read(&read, NULL, file->format, NULL, made.data, made.len,
                        4096);
            cr_expect(read.status == PAY_OK
                      || (read.status == PAY_INVALID
                          && read.refusal.reason != NULL
                          && read.refusal.expected[0] != '\0'),
                      "%s/%s at %zu: %d", file->format, file->name, at,
                      read.status);
            settle_free(&read);
        }

        made.data[at] = bytes->data[at];
    }

    free(made.data);
}


Test(pay_settle, any_byte_may_be_another)
{
    for_each_file(check_bytes);
}


static void
check_account(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    settle_read_t         read;
    pay_settle_options_t  options;

    static const char *const  with[] = {
        "adyen", "camt.053", "camt.054", "mt940", "paypal", "square", NULL
    };
    const char *const  *name = with;

    (void) whole;

    while (*name != NULL && strcmp(*name, file->format) != 0) {
        name++;
    }

    if (*name == NULL) {
        return;
    }

    memset(&options, 0, sizeof(options));
    options.account = PAY_STR("somebody-else");
    settle_read(&read, NULL, file->format, &options, bytes->data, bytes->len,
                4096);
    cr_expect_eq(read.status, PAY_INVALID, "%s/%s", file->format, file->name);
    cr_expect(read.refusal.reason != NULL
              && strcmp(read.refusal.reason, "account-foreign") == 0,
              "%s/%s: %s", file->format, file->name, settle_outcome(&read));
    settle_free(&read);
}


Test(pay_settle, a_file_of_another_account_is_refused)
{
    for_each_file(check_account);
}


static void
check_failures(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    unsigned       n;
    pay_heap_t    *heap;
    settle_read_t  read;

    for (n = 1; n < 100; n++) {
        heap = pay_heap_create();
        pay_heap_fail_at(heap, n);
        settle_read(&read, pay_heap_arena(heap), file->format, NULL,
                    bytes->data, bytes->len, 4096);

        if (!pay_heap_failed(heap)) {
            same(file, &read, whole, "with all its memory");
            settle_free(&read);
            pay_heap_destroy(heap);
            cr_expect_gt(n, 3);
            return;
        }

        cr_expect_eq(read.status, PAY_NO_MEMORY, "%s/%s failure %u: %d",
                     file->format, file->name, n, read.status);
        settle_free(&read);
        pay_heap_destroy(heap);
    }

    cr_assert_fail("%s/%s", file->format, file->name);
}


Test(pay_settle, memory_that_is_not_there_is_an_ordinary_error)
{
    for_each_file(check_failures);
}


static void *
meter_alloc(void *owner, size_t size)
{
    settle_meter_t  *meter = owner;
    pay_arena_t     *arena = pay_heap_arena(meter->heap);

    meter->total += size;

    return arena->alloc(arena->owner, size);
}


/* 30 MB without the end of a record, inside of the file's first quotes or tag,
 * too. */
static void
check_long(const settle_file_t *file, const settle_text_t *bytes,
    const settle_read_t *whole)
{
    char            *at;
    size_t           i, head;
    settle_read_t    read;
    settle_text_t    made;
    settle_meter_t   meter;
    pay_arena_t      arena = { meter_alloc, &meter };

    static const char *const  behind[] = { "\n", "\"", "<", ">", ",", ":" };

    (void) whole;

    for (i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        at = strstr(bytes->data, behind[i]);

        if (at == NULL) {
            continue;
        }

        head = (size_t) (at - bytes->data) + 1;
        memset(&made, 0, sizeof(made));
        settle_text_add(&made, bytes->data, head);
        made.data = realloc(made.data, head + FORGED_SIZE);
        cr_assert_not_null(made.data);
        memset(made.data + head, 'a', FORGED_SIZE);

        meter.heap = pay_heap_create();
        meter.total = 0;
        settle_read(&read, &arena, file->format, NULL, made.data,
                    head + FORGED_SIZE, 65536);
        cr_expect_eq(read.status, PAY_INVALID, "%s/%s", file->format,
                     file->name);
        cr_expect_lt(meter.total, MEMORY_MAX, "%s: %zu", file->format,
                     meter.total);
        settle_free(&read);
        free(made.data);
        pay_heap_destroy(meter.heap);
    }
}


Test(pay_settle, a_line_of_30_mb_is_refused_in_little_memory)
{
    for_each_file(check_long);
}


/* The last byte that fits, and the one behind it. */
Test(pay_settle, a_record_may_have_64_kib)
{
    int            more;
    settle_text_t  file;
    settle_read_t  read;

    static const char  head[] =
        "row_id,type,psp_ref,occurred_at,gross,fee,net,currency,note\n";
    static const char  row[] =
        "r,sale,p,2026-11-20T10:00:00Z,1.00,0.00,1.00,EUR,";
    static const char  foot[] = "\ntotal,1,,,1.00,0.00,1.00,EUR,\n";

    for (more = 0; more < 2; more++) {
        memset(&file, 0, sizeof(file));
        settle_text_add(&file, head, sizeof(head) - 1);
        settle_text_add(&file, row, sizeof(row) - 1);

        while (file.len < sizeof(head) - 1 + PAY_SETTLE_LINE_MAX - 1
                          + (size_t) more)
        {
            settle_text_add(&file, "x", 1);
        }

        settle_text_add(&file, foot, sizeof(foot) - 1);
        settle_read(&read, NULL, "generic", NULL, file.data, file.len, 4096);
        cr_expect_str_eq(settle_outcome(&read),
                         more ? "refused line-too-long 2" : "proven 1");
        settle_free(&read);
        free(file.data);
    }
}


Test(pay_settle, a_file_that_was_refused_stays_so)
{
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;
    pay_settle_verdict_t   verdict = PAY_SETTLE_PROVEN;

    memset(&options, 0, sizeof(options));
    cr_assert_eq(pay_settle_open(test_arena(), PAY_STR("generic"), &options,
                                 &reader), PAY_OK);
    cr_expect_eq(pay_settle_feed(reader, PAY_STR("a,b\n")), PAY_INVALID);
    cr_expect_eq(pay_settle_feed(reader, PAY_STR("c,d\n")), PAY_INVALID);
    cr_expect_eq(pay_settle_end(reader), PAY_INVALID);
    cr_expect_eq(pay_settle_prove(reader, &verdict), PAY_INVALID);
    cr_expect_eq(verdict, PAY_SETTLE_REFUSED);
    cr_assert_not_null(pay_settle_refusal(reader));
    cr_expect_str_eq(pay_settle_refusal(reader)->reason, "column-missing");
    cr_expect_str_eq(pay_settle_refusal(reader)->column, "row_id");
    pay_settle_close(reader);

    cr_expect_eq(pay_settle_open(test_arena(), PAY_STR("nobody"), &options,
                                 &reader), PAY_NOT_FOUND);
}


static pay_status_t
count_row(void *data, const pay_settle_row_t *row)
{
    int64_t  *left = data;

    (void) row;

    return --*left < 0 ? PAY_NO_MEMORY : PAY_OK;
}


Test(pay_settle, what_the_row_function_says_ends_the_reading)
{
    int64_t                left = 2;
    settle_text_t          file = settle_fixture("generic", "day.csv");
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;

    memset(&options, 0, sizeof(options));
    options.row = count_row;
    options.data = &left;

    cr_assert_eq(pay_settle_open(test_arena(), PAY_STR("generic"), &options,
                                 &reader), PAY_OK);
    cr_expect_eq(pay_settle_feed(reader, (pay_str_t) {
                     file.len, (unsigned char *) file.data }), PAY_NO_MEMORY);
    cr_expect_eq(left, -1);
    cr_expect_null(pay_settle_refusal(reader));
    pay_settle_close(reader);
    free(file.data);
}


#define MANY_ROWS  100000

/* Memory does not grow with the file. */
Test(pay_settle, a_hundred_thousand_rows_take_no_more_memory_than_four)
{
    int                    n, len;
    char                   line[256];
    int64_t                left = MANY_ROWS;
    size_t                 before;
    settle_meter_t         meter = { pay_heap_create(), 0 };
    pay_arena_t            arena = { meter_alloc, &meter };
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;
    pay_settle_verdict_t   verdict;

    memset(&options, 0, sizeof(options));
    options.row = count_row;
    options.data = &left;
    cr_assert_eq(pay_settle_open(&arena, PAY_STR("generic"), &options,
                                 &reader), PAY_OK);
    cr_assert_eq(pay_settle_feed(reader, PAY_STR(
        "row_id,type,psp_ref,occurred_at,gross,fee,net,currency\n"
        "r,sale,p,2026-11-20T10:00:00Z,1.00,0.00,1.00,EUR\n")), PAY_OK);
    before = meter.total;

    for (n = 1; n < MANY_ROWS; n++) {
        len = snprintf(line, sizeof(line), "r%d,sale,p%d,2026-11-20T10:00:00Z,"
                       "1.00,0.00,1.00,EUR\n", n, n);
        cr_assert_eq(pay_settle_feed(reader, (pay_str_t) {
                         (size_t) len, (unsigned char *) line }), PAY_OK);
    }

    len = snprintf(line, sizeof(line), "total,%d,,,%d.00,0.00,%d.00,EUR\n",
                   MANY_ROWS, MANY_ROWS, MANY_ROWS);
    cr_assert_eq(pay_settle_feed(reader, (pay_str_t) {
                     (size_t) len, (unsigned char *) line }), PAY_OK);
    cr_assert_eq(pay_settle_end(reader), PAY_OK);
    cr_assert_eq(pay_settle_prove(reader, &verdict), PAY_OK);
    cr_expect_eq(verdict, PAY_SETTLE_PROVEN);
    cr_expect_eq(left, 0);
    cr_expect_eq(meter.total, before);
    cr_expect_lt(meter.total, MEMORY_MAX);
    pay_settle_close(reader);
    pay_heap_destroy(meter.heap);
}
