/*
 * Cells of a CSV: quotes, formulas, numbers.
 */

#include <criterion/criterion.h>

#include "pay_csv.h"


static pay_heap_t  *heap;


static void
setup(void)
{
    heap = pay_heap_create();
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_csv, .init = setup, .fini = teardown);


static void
is_written(const char *text, const char *cell)
{
    pay_buf_t  buf;
    pay_str_t  written;

    pay_buf_init(&buf, pay_heap_arena(heap), 1024);
    pay_csv_cell(pay_str_of(text), &buf);
    cr_assert_eq(pay_buf_done(&buf, &written), PAY_OK);
    cr_assert(pay_str_is(written, cell), "%s: %.*s", text, (int) written.len,
              (const char *) written.data);
}


Test(pay_csv, keeps_numbers_bare)
{
    is_written("0", "0");
    is_written("12.34", "12.34");
    is_written("-12.340", "-12.340");
    is_written("", "");
}


/* Each of these would be run by a spreadsheet. */
Test(pay_csv, marks_what_begins_like_a_formula)
{
    is_written("=1+1", "\"'=1+1\"");
    is_written("+1", "\"'+1\"");
    is_written("-1-1", "\"'-1-1\"");
    is_written("-", "\"'-\"");
    is_written("-.5", "\"'-.5\"");
    is_written("-1.", "\"'-1.\"");
    is_written("1.2.3", "\"1.2.3\"");
    is_written("@SUM(A1)", "\"'@SUM(A1)\"");
    is_written("\tx", "\"'\tx\"");
    is_written("\rx", "\"'\rx\"");
    is_written("  =1", "\"'  =1\"");
    is_written("\xEF\xBC\x9D" "1", "\"'\xEF\xBC\x9D" "1\"");
}


Test(pay_csv, doubles_quotes_and_keeps_the_rest)
{
    is_written("a,b", "\"a,b\"");
    is_written("\"", "\"\"\"\"");
    is_written("say \"=1\"", "\"say \"\"=1\"\"\"");
    is_written("two\nlines", "\"two\nlines\"");
    is_written("1 EUR", "\"1 EUR\"");
}
