/*
 * Messages of libpq and PostgreSQL as one line of error.log: bounded, without
 * control characters, values or a password.
 */

#include <criterion/criterion.h>

#include "pay_line.h"


static void
expect(const char *text, int unquote, const char *secret, const char *want)
{
    char    line[PAY_LINE_SIZE];
    size_t  len;

    len = pay_line(line, pay_str_of(text), unquote, pay_str_of(secret));

    cr_expect_str_eq(line, want);
    cr_expect_eq(len, strlen(want));
}


Test(pay_line, a_message_is_kept)
{
    expect("FATAL:  Peer authentication failed for user \"gw\"\n", 0, NULL,
           "FATAL: Peer authentication failed for user \"gw\"");
    expect("", 0, NULL, "");
    expect("\n\n", 0, NULL, "");
    expect("  a  ", 0, NULL, "a");
}


Test(pay_line, two_lines_are_joined_and_the_others_left_out)
{
    expect("failed: No such file\n\tIs the server running?\nmore\n", 0, NULL,
           "failed: No such file Is the server running?");
}


Test(pay_line, control_characters_and_other_bytes_do_not_get_out)
{
    expect("a\x1b[31mb\x7f\xc3\xa4\r\vc", 0, NULL, "a?[31mb??? ?c");
}


Test(pay_line, values_between_quotes_are_left_out)
{
    expect("invalid input syntax for type uuid: \"4242 4242\" at", 1, NULL,
           "invalid input syntax for type uuid: \"\" at");
    expect("an open \"quote hides all", 1, NULL, "an open \"");
}


Test(pay_line, a_secret_is_left_out_wherever_it_stands)
{
    expect("hunter2 x hunter2hunter2 \"hunter2\"", 0, "hunter2",
           "*** x ****** \"***\"");
    expect("hunter", 0, "hunter2", "hunter");
}


Test(pay_line, a_line_has_an_end)
{
    char       line[PAY_LINE_SIZE + 1], text[4096];
    size_t     len;
    pay_str_t  long_one = { sizeof(text), (unsigned char *) text };

    memset(text, 'x', sizeof(text));
    line[PAY_LINE_SIZE] = '!';

    len = pay_line(line, long_one, 0, pay_str_of("xx"));
    cr_expect_eq(len, PAY_LINE_SIZE - 1);
    cr_expect_eq(line[len], '\0');
    cr_expect_eq(line[PAY_LINE_SIZE], '!');

    len = pay_line(line, long_one, 0, PAY_STR(""));
    cr_expect_eq(len, PAY_LINE_SIZE - 1);
    cr_expect_eq(line[PAY_LINE_SIZE], '!');
}
