/*
 * payctl's help, see help.h; the pages stand in help_pages.c, the manual in
 * man.c.
 */

#include "cli/help.h"

#include <string.h>


#define HELP_HEAD    "usage: payctl "
#define HELP_MORE    "       payctl "
#define HELP_INDENT  "       "


static const char *help_line(const char *text, size_t *len);
static size_t help_add(char form[PAY_CLI_FORM], size_t used, const char *text,
    size_t len);


/* A usage is found by its address: several pages may have the same text. */
void
pay_cli_help(const char *usage)
{
    const pay_cli_page_t  *page;

    fputs(usage, stdout);

    for (page = pay_cli_pages; page->name != NULL; page++) {
        if (page->usage == usage) {
            printf("\nExamples:\n%s", page->examples);
            return;
        }
    }
}


/* The complaint that stands above must not scroll away. */
void
pay_cli_help_forms(FILE *out, const char *usage)
{
    const char  *rest = usage;
    char         form[PAY_CLI_FORM];

    while (pay_cli_next_form(&rest, form)) { /* void */ }

    fwrite(usage, 1, (size_t) (rest - usage), out);
}


int
pay_cli_next_form(const char **usage, char form[PAY_CLI_FORM])
{
    size_t       len, used;
    const char  *line = *usage, *next;

    if (strncmp(line, HELP_HEAD, strlen(HELP_HEAD)) != 0
        && strncmp(line, HELP_MORE, strlen(HELP_MORE)) != 0)
    {
        return 0;
    }

    line += strlen(HELP_HEAD);
    next = help_line(line, &len);
    used = help_add(form, 0, line, len);

    while (strncmp(next, HELP_INDENT, strlen(HELP_INDENT)) == 0
           && strncmp(next, HELP_MORE, strlen(HELP_MORE)) != 0)
    {
        line = next + strspn(next, " ");
        next = help_line(line, &len);
        used = help_add(form, used, " ", 1);
        used = help_add(form, used, line, len);
    }

    *usage = next;

    return 1;
}


/* The length of the first line, and the begin of the second. */
static const char *
help_line(const char *text, size_t *len)
{
    *len = strcspn(text, "\n");

    return text + *len + (text[*len] == '\n');
}


static size_t
help_add(char form[PAY_CLI_FORM], size_t used, const char *text, size_t len)
{
    if (len >= PAY_CLI_FORM - used) {
        len = PAY_CLI_FORM - used - 1;
    }

    memcpy(form + used, text, len);
    form[used + len] = '\0';

    return used + len;
}
