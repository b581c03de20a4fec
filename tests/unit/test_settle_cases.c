/*
 * Settlement files with one thing changed, and what becomes of each:
 * tests/fixtures/settle/<format>/cases.txt, a line a case, see the README
 * there.  Bad input comes first there.
 */

#include "settle_world.h"

#include <stdio.h>
#include <stdlib.h>


#define CASE_LINE  4096
#define CASE_PARTS 4


/* \n, \t, \x00 …; returns the length. */
static size_t
case_unescape(char *text)
{
    char      *from = text, *to = text;
    unsigned   byte;

    static const char  names[] = "nrts0\\", bytes[] = "\n\r\t \0\\";

    while (*from != '\0') {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }

        from++;

        if (*from == 'x' && sscanf(from + 1, "%2x", &byte) == 1) {
            *to++ = (char) byte;
            from += 3;
            continue;
        }

        cr_assert(*from != '\0' && strchr(names, *from) != NULL, "%s", text);
        *to++ = bytes[strchr(names, *from) - names];
        from++;
    }

    *to = '\0';

    return (size_t) (to - text);
}


static char *
case_find(const settle_text_t *file, const char *from, size_t len)
{
    size_t  at;

    for (at = 0; at + len <= file->len; at++) {
        if (memcmp(file->data + at, from, len) == 0) {
            return file->data + at;
        }
    }

    return NULL;
}


static settle_text_t
case_change(const char *where, const settle_text_t *file, char *from,
    char *to)
{
    int            is_cut;
    char          *at;
    size_t         from_len, to_len = case_unescape(to);
    settle_text_t  made = { NULL, 0, 0 };

    if (strcmp(from, "^") == 0) {
        settle_text_add(&made, to, to_len);
        settle_text_add(&made, file->data, file->len);
        return made;
    }

    if (strcmp(from, "$") == 0 || strcmp(from, "-") == 0) {
        settle_text_add(&made, file->data, file->len);
        settle_text_add(&made, to, from[0] == '$' ? to_len : 0);
        return made;
    }

    is_cut = from[0] == '>';
    from += is_cut;
    from_len = case_unescape(from);
    at = case_find(file, from, from_len);
    cr_assert_not_null(at, "%s: \"%s\" is not in the file", where, from);

    settle_text_add(&made, file->data, (size_t) (at - file->data));

    if (!is_cut) {
        settle_text_add(&made, to, to_len);
        at += from_len;
        settle_text_add(&made, at, file->len - (size_t) (at - file->data));
    }

    return made;
}


/* Cuts at " | "; returns how many parts there are. */
static unsigned
case_split(char *line, char *parts[CASE_PARTS])
{
    unsigned  n = 0;

    while (n < CASE_PARTS) {
        parts[n++] = line;
        line = n < CASE_PARTS ? strstr(line, " | ") : NULL;

        if (line == NULL) {
            break;
        }

        *line = '\0';
        line += strlen(" | ");
    }

    return n;
}


static void
case_run(const char *format, const char *where, char *line)
{
    char           *parts[CASE_PARTS];
    settle_read_t   read;
    settle_text_t   file, made;

    cr_assert_eq(case_split(line, parts), CASE_PARTS, "%s", where);

    file = settle_fixture(format, parts[0]);
    made = case_change(where, &file, parts[1], parts[2]);
    settle_read(&read, NULL, format, NULL, made.data, made.len, 4096);

    cr_expect_str_eq(settle_outcome(&read), parts[3], "%s: %s (%s)", where,
                     settle_outcome(&read), read.refusal.expected);
    cr_expect((read.refusal.reason != NULL)
              == (read.refusal.expected[0] != '\0'), "%s", where);

    settle_free(&read);
    free(made.data);
    free(file.data);
}


static unsigned
cases_of(const char *format)
{
    char      path[256], where[300], line[CASE_LINE];
    FILE     *file;
    unsigned  number = 0, count = 0;

    snprintf(path, sizeof(path), "tests/fixtures/settle/%s/cases.txt",
             format);
    file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);

    while (fgets(line, sizeof(line), file) != NULL) {
        number++;
        line[strcspn(line, "\n")] = '\0';

        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }

        snprintf(where, sizeof(where), "%s:%u", path, number);
        case_run(format, where, line);
        count++;
    }

    fclose(file);

    return count;
}


Test(pay_settle, every_case_of_every_format_comes_out_as_it_says)
{
    unsigned  n;

    for (n = 0; settle_format(n) != NULL; n++) {
        cr_expect_geq(cases_of(settle_format(n)), 10, "%s", settle_format(n));
    }

    cr_expect_geq(n, 9);
}
