/*
 * Fuzz target: files of sanctions lists.  Input: a byte that names the format,
 * then the file.  Whatever the bytes, the names and their ids are arrays of one
 * length that PostgreSQL takes: digits, and Latin letters in quotes, with no
 * quote and no backslash within.
 */

#include "fuzz.h"

#include "cli/sanctions.h"

#include <string.h>


#define must     FUZZ_CHECK
#define TEXT_MAX (1024 * 1024)


static unsigned is_xml(pay_str_t file);
static size_t count_ids(pay_str_t ids);
static size_t count_names(pay_str_t names);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_str_t               ids, names, file;
    const char             *wrong = NULL;
    pay_heap_t             *heap;
    pay_arena_t            *arena;
    pay_status_t            status;
    pay_sanctions_t         found;
    pay_sanctions_format_t  format;

    if (size < 1) {
        return 0;
    }

    heap = pay_heap_create();
    must(heap != NULL);
    arena = pay_heap_arena(heap);
    format = (data[0] & 1) ? PAY_SANCTIONS_EU : PAY_SANCTIONS_OFAC;
    file = (pay_str_t) { size - 1, (unsigned char *) data + 1 };
    memset(&found, 0, sizeof(found));
    pay_buf_init(&found.ids, arena, TEXT_MAX);
    pay_buf_init(&found.names, arena, TEXT_MAX);

    status = pay_sanctions_read(arena, file, format, &found, &wrong);
    must(status == PAY_OK || (status == PAY_INVALID && wrong != NULL));

    if (status == PAY_OK) {
        must(found.entries <= 1 && found.aliases <= 1);
        must(found.entries + found.aliases <= 1 + is_xml(file));
        must(found.weak == 0 || is_xml(file));
        must(found.count == 0 || found.entries + found.aliases > 0);
        must(pay_buf_done(&found.ids, &ids) == PAY_OK);
        must(pay_buf_done(&found.names, &names) == PAY_OK);
        must(count_ids(ids) == found.count);
        must(count_names(names) == found.count);
    }

    pay_heap_destroy(heap);

    return 0;
}


static unsigned
is_xml(pay_str_t file)
{
    return (file.len > 0 && file.data[0] == '<')
           || (file.len > 3 && memcmp(file.data, "\xEF\xBB\xBF<", 4) == 0);
}


static size_t
count_ids(pay_str_t ids)
{
    size_t  i, count = ids.len > 0;

    for (i = 0; i < ids.len; i++) {
        if (ids.data[i] == ',') {
            must(i > 0 && ids.data[i - 1] != ',' && i + 1 < ids.len);
            count++;

        } else {
            must(ids.data[i] >= '0' && ids.data[i] <= '9');
        }
    }

    return count;
}


static size_t
count_names(pay_str_t names)
{
    size_t  i = 0, count = 0;

    while (i < names.len) {
        must(count == 0 || names.data[i++] == ',');
        must(i < names.len && names.data[i++] == '"');

        while (i < names.len && names.data[i] != '"') {
            must(names.data[i] >= ' ' && names.data[i] < 0x7f
                 && names.data[i] != '\\');
            i++;
        }

        must(i < names.len);
        i++;
        count++;
    }

    return count;
}
