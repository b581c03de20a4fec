/*
 * Fixtures that differ little from another one stand in expected.txt as a
 * recipe behind " <": a base (a file, another recipe, or JSON in place) and
 * edits by path, `data.0.status="lost"` or `-data.0.amount`.  A recipe goes on
 * in the lines below it that begin with blanks.
 */

#include "fixture.h"

#include <jansson.h>

#include <stdio.h>
#include <string.h>


#define FIXTURE_DEPTH  5
#define FIXTURE_PATH   256
#define FIXTURE_LOAD   (JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK       \
                        | JSON_DECODE_ANY)

/* What is left of a recipe. */
typedef struct {
    const char  *at;
    const char  *end;
} recipe_t;


static json_t *fixture_json(const char *psp, const char *name, unsigned depth);


static size_t
fixture_read(const char *psp, const char *name, char *bytes, size_t size)
{
    FILE    *file;
    char     path[FIXTURE_PATH];
    size_t   len;

    snprintf(path, sizeof(path), "tests/fixtures/psp/%s/%s", psp, name);
    file = fopen(path, "rb");

    if (file == NULL) {
        return 0;
    }

    len = fread(bytes, 1, size, file);
    fclose(file);
    cr_assert(len > 0 && len < size, "%s", path);

    return len;
}


/* The recipe of that name in the text of an expected.txt, or at: NULL. */
static recipe_t
recipe_find(const char *text, const char *name)
{
    int          is_made;
    size_t       len = strlen(name);
    recipe_t     none = { NULL, NULL };
    const char  *line, *end, *at;

    for (line = text; *line != '\0'; line = end + (*end != '\0')) {
        end = line + strcspn(line, "\n");

        while (*end != '\0' && end[1] == ' ') {
            end += 1 + strcspn(end + 1, "\n");
        }

        if (strncmp(line, name, len) == 0 && line[len] == ' ') {
            at = strstr(line, FIXTURE_PARTS);
            is_made = at != NULL && at < end;
            return is_made ? (recipe_t) { at + strlen(FIXTURE_PARTS), end }
                           : none;
        }
    }

    return none;
}


/* The next word, up to one of `ends`, and what ends it passed over. */
static void
recipe_word(recipe_t *recipe, const char *ends, char *word)
{
    size_t  len = strcspn(recipe->at, ends);

    cr_assert_lt(len, FIXTURE_PATH, "%.40s", recipe->at);
    memcpy(word, recipe->at, len);
    word[len] = '\0';
    recipe->at += len + (recipe->at + len < recipe->end);
}


static json_t *
recipe_value(recipe_t *recipe)
{
    json_t        *json;
    json_error_t   error;

    json = json_loadb(recipe->at, (size_t) (recipe->end - recipe->at),
                      FIXTURE_LOAD, &error);
    cr_assert_not_null(json, "%.60s: %s", recipe->at, error.text);
    recipe->at += error.position;

    return json;
}


/* What holds the last word of the path, which is cut to that word. */
static json_t *
recipe_parent(json_t *json, char **path)
{
    char  *dot;

    while ((dot = strchr(*path, '.')) != NULL) {
        *dot = '\0';
        json = json_is_array(json)
               ? json_array_get(json, strtoul(*path, NULL, 10))
               : json_object_get(json, *path);
        cr_assert_not_null(json, "no %s", *path);
        *path = dot + 1;
    }

    return json;
}


static void
recipe_set(json_t *parent, const char *last, json_t *value)
{
    size_t  i = strtoul(last, NULL, 10);

    cr_assert_eq(json_is_object(parent)
                 ? json_object_set_new(parent, last, value)
                 : i < json_array_size(parent)
                 ? json_array_set_new(parent, i, value)
                 : json_array_append_new(parent, value), 0, "%s", last);
}


static void
recipe_edit(recipe_t *recipe, json_t *json)
{
    int      is_out = *recipe->at == '-';
    char     word[FIXTURE_PATH], *last = word;
    json_t  *parent;

    recipe->at += is_out;
    recipe_word(recipe, is_out ? " \n" : "=", word);
    parent = recipe_parent(json, &last);

    if (!is_out) {
        recipe_set(parent, last, recipe_value(recipe));
        return;
    }

    cr_assert_eq(json_is_object(parent)
                 ? json_object_del(parent, last)
                 : json_array_remove(parent, strtoul(last, NULL, 10)), 0,
                 "no %s", last);
}


static json_t *
recipe_run(const char *psp, recipe_t recipe, unsigned depth)
{
    char     base[FIXTURE_PATH];
    json_t  *json;

    recipe.at += strspn(recipe.at, " \n");

    if (*recipe.at == '{' || *recipe.at == '[') {
        json = recipe_value(&recipe);

    } else {
        recipe_word(&recipe, " \n", base);
        json = fixture_json(psp, base, depth + 1);
    }

    while (recipe.at < recipe.end) {
        if (*recipe.at == ' ' || *recipe.at == '\n') {
            recipe.at++;

        } else {
            recipe_edit(&recipe, json);
        }
    }

    return json;
}


static json_t *
fixture_json(const char *psp, const char *name, unsigned depth)
{
    char           text[FIXTURE_MAX];
    size_t         len;
    json_t        *json;
    recipe_t       recipe;
    json_error_t   error;

    cr_assert_lt(depth, FIXTURE_DEPTH, "%s/%s", psp, name);
    len = fixture_read(psp, name, text, sizeof(text));

    if (len != 0) {
        json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        cr_assert_not_null(json, "%s/%s: %s", psp, name, error.text);
        return json;
    }

    len = fixture_read(psp, "expected.txt", text, sizeof(text) - 1);
    text[len] = '\0';
    recipe = recipe_find(text, name);
    cr_assert_not_null(recipe.at, "%s has no fixture %s", psp, name);

    return recipe_run(psp, recipe, depth);
}


pay_str_t
fixture(pay_arena_t *arena, const pay_psp_adapter_t *adapter, const char *name)
{
    char    *bytes;
    size_t   len;
    json_t  *json;

    bytes = pay_alloc(arena, FIXTURE_MAX);
    cr_assert_not_null(bytes);
    len = fixture_read(adapter->name, name, bytes, FIXTURE_MAX);

    if (len == 0) {
        json = fixture_json(adapter->name, name, 0);
        len = json_dumpb(json, bytes, FIXTURE_MAX, JSON_INDENT(2));
        json_decref(json);
        cr_assert(len > 0 && len < FIXTURE_MAX, "%s", name);
    }

    return (pay_str_t) { len, (unsigned char *) bytes };
}


int
fixture_is_made(const pay_psp_adapter_t *adapter, const char *name)
{
    char    text[FIXTURE_MAX];
    size_t  len;

    if (fixture_read(adapter->name, name, text, sizeof(text)) != 0) {
        return 0;
    }

    len = fixture_read(adapter->name, "expected.txt", text, sizeof(text) - 1);
    text[len] = '\0';

    return recipe_find(text, name).at != NULL;
}
