/*
 * Shared by payctl init and payctl doctor: places, the files that nginx's
 * configuration names, findings, and work as PostgreSQL's own user.
 */

#include "cli/setup.h"
#include "cli/cli.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>


#define LOCAL_DSN   "dbname=" SETUP_DATABASE
#define NOT_BEGUN   125                /* exit code of a child without a user */

typedef struct {
    const char  *name;
    int          is_secret;
} setup_word_t;

static void conf_scan(setup_conf_t *conf);
static char *conf_read(const char *path);
static const setup_word_t *conf_known(const char *word, size_t len);
static setup_file_t *conf_word(setup_conf_t *conf, const setup_word_t *word,
    const char *value, size_t len);
static int is_word(const char *word, size_t len, const char *name);
static size_t conf_next(const char **text, const char **word);
static int become(const char *name);


#define KEY_FILE  "file="              /* a secret with alg=HS256 beside it */

/* Words of a line behind which a file stands, or with the file in them. */
static const setup_word_t  file_words[] = {
    { "api_key_file", 1 },
    { "webhook_key_file", 1 },
    { "result_key_file", 1 },
    { "secret_file", 1 },
    { "payments_keyring", 1 },
    { "ssl_certificate_key", 1 },
    { "ssl_certificate", 0 },
    { "ca_file", 0 },
    { "webhook_ca_file", 0 },
    { "page_logo", 0 },
    { "key_file=", 1 },
    { "next_key_file=", 1 },
    { "secret_file=", 1 },
    { "report_user=", 1 },
    { "ca_file=", 0 },
    { KEY_FILE, 0 },
    { NULL, 0 }
};

static const char  *const example_names[] = {
    "pay.example.com", "shop.example.com", NULL
};


int
pay_cli_setup_path(const setup_t *setup, const char *name,
    char path[SETUP_PATH])
{
    if (snprintf(path, SETUP_PATH, "%s/%s", setup->etc, name) < SETUP_PATH) {
        return 1;
    }

    fprintf(stderr, "payctl: the path of \"%s\" is too long\n", name);

    return 0;
}


int
pay_cli_setup_conf(const setup_t *setup, setup_conf_t *conf)
{
    memset(conf, 0, sizeof(*conf));

    if (!pay_cli_setup_path(setup, "nginx/payments.conf", conf->path)) {
        return 0;
    }

    if (access(conf->path, F_OK) != 0
        && !pay_cli_setup_path(setup, "nginx/nginx.conf", conf->path))
    {
        return 0;
    }

    conf->text = conf_read(conf->path);
    conf->files = calloc(SETUP_FILES, sizeof(setup_file_t));
    if (conf->text == NULL || conf->files == NULL) {
        pay_cli_setup_conf_free(conf);
        return 0;
    }

    conf_scan(conf);

    return 1;
}


void
pay_cli_setup_conf_free(setup_conf_t *conf)
{
    free(conf->text);
    free(conf->files);
    conf->text = NULL;
    conf->files = NULL;
    conf->count = 0;
}


const char *
pay_cli_setup_example(const char **rest, unsigned *line,
    char text[SETUP_PATH])
{
    size_t       len;
    unsigned     i;
    const char  *at;

    while (**rest != '\0') {
        at = *rest + strspn(*rest, " \t");
        len = strcspn(at, "\n");
        *rest = at + len + (at[len] == '\n');
        (*line)++;

        snprintf(text, SETUP_PATH, "%.*s",
                 (int) (len < SETUP_PATH ? len : SETUP_PATH - 1), at);

        for (i = 0; *at != '#' && example_names[i] != NULL; i++) {
            if (strstr(text, example_names[i]) != NULL) {
                return example_names[i];
            }
        }
    }

    return NULL;
}


gid_t
pay_cli_setup_group(const char *user)
{
    struct passwd  *entry = getpwnam(user);

    return entry != NULL ? entry->pw_gid : (gid_t) -1;
}


const char *
pay_cli_setup_dsn(const setup_t *setup)
{
    const char  *dsn = setup->dsn != NULL ? setup->dsn : getenv("PAYCTL_DSN");

    return dsn != NULL ? dsn : LOCAL_DSN;
}


/* PostgreSQL knows root as nobody: peer authentication of a fresh cluster
 * lets the user postgres in, who owns its configuration, too. */
int
pay_cli_setup_as_postgres(const setup_t *setup, int (*run)(void *data),
    void *data)
{
    int    status;
    pid_t  pid;

    if (geteuid() != 0 || setup->dsn != NULL || getenv("PAYCTL_DSN") != NULL) {
        return run(data);
    }

    fflush(NULL);
    pid = fork();

    if (pid < 0) {
        perror("fork");
        return -1;
    }

    if (pid == 0) {
        status = become("postgres") ? run(data) : NOT_BEGUN;
        fflush(NULL);
        _exit(status);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        fputs("payctl: the part of the user postgres did not end well\n",
              stderr);
        return -1;
    }

    return WEXITSTATUS(status) == NOT_BEGUN ? -1 : WEXITSTATUS(status);
}


int
pay_cli_doctor_wants(const setup_t *setup, const char *name)
{
    return setup->only == NULL || strcmp(setup->only, name) == 0;
}


int
pay_cli_doctor_ok(const char *name)
{
    printf("ok        %s\n", name);

    return 0;
}


int
pay_cli_doctor_finding(const char *name, const char *mend, const char *format,
    ...)
{
    va_list  args;

    printf("MEND      %s: ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n          %s\n", mend);

    return 1;
}


static int
become(const char *name)
{
    struct passwd  *entry = getpwnam(name);

    if (entry == NULL) {
        fprintf(stderr, "payctl: no user \"%s\" here: install postgresql, or"
                " name the database by --dsn\n", name);
        return 0;
    }

    if (initgroups(name, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0
        || setuid(entry->pw_uid) != 0 || chdir("/") != 0)
    {
        perror(name);
        return 0;
    }

    return 1;
}


static char *
conf_read(const char *path)
{
    char         *text = NULL;
    FILE         *file;
    size_t        len;
    struct stat   info;

    file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }

    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)
        && info.st_size <= SETUP_CONF_MAX)
    {
        text = calloc(1, (size_t) info.st_size + 1);
    }

    if (text != NULL) {
        len = fread(text, 1, (size_t) info.st_size, file);
        text[len] = '\0';
    }

    fclose(file);

    return text;
}


/* Comments are passed over; a name ends with its line's semicolon.  A jwt_key
 * of HS256 is the secret that signs tokens; its words come in any sequence. */
static void
conf_scan(setup_conf_t *conf)
{
    int                  is_shared = 0;
    size_t               len, name;
    const char          *text = conf->text, *word;
    setup_file_t        *key = NULL;
    const setup_word_t  *known, *open = NULL;

    while ((len = conf_next(&text, &word)) > 0) {
        if (*word == ';' || *word == '{' || *word == '}') {
            if (key != NULL && is_shared) {
                key->is_secret = 1;
            }

            open = NULL;
            key = NULL;
            is_shared = 0;
            continue;
        }

        if (open != NULL) {
            (void) conf_word(conf, open, word, len);
            continue;
        }

        is_shared |= is_word(word, len, "alg=HS256");
        known = conf_known(word, len);
        name = known != NULL ? strlen(known->name) : 0;

        if (known != NULL && known->name[name - 1] != '=') {
            open = known;

        } else if (known != NULL && strcmp(known->name, KEY_FILE) == 0) {
            key = conf_word(conf, known, word + name, len - name);

        } else if (known != NULL) {
            (void) conf_word(conf, known, word + name, len - name);
        }
    }
}


/* NULL: no file stands in the word or behind it. */
static const setup_word_t *
conf_known(const char *word, size_t len)
{
    size_t               name;
    const setup_word_t  *known;

    for (known = file_words; known->name != NULL; known++) {
        name = strlen(known->name);

        if (known->name[name - 1] == '='
            ? len >= name && strncmp(word, known->name, name) == 0
            : is_word(word, len, known->name))
        {
            return known;
        }
    }

    return NULL;
}


static int
is_word(const char *word, size_t len, const char *name)
{
    return len == strlen(name) && strncmp(word, name, len) == 0;
}


/* One word, a semicolon or a brace; 0 at the end. */
static size_t
conf_next(const char **text, const char **word)
{
    size_t       len;
    const char  *at = *text;

    for ( ;; ) {
        at += strspn(at, " \t\r\n");
        if (*at != '#') {
            break;
        }
        at += strcspn(at, "\n");
    }

    len = strcspn(at, " \t\r\n;{}");
    if (len == 0 && *at != '\0') {
        len = 1;
    }

    *word = at;
    *text = at + len;

    return len;
}


/* Relative names count from the configuration's directory.  The file, which may
 * stand in two lines, or NULL: it is not looked at. */
static setup_file_t *
conf_word(setup_conf_t *conf, const setup_word_t *word, const char *value,
    size_t len)
{
    int            room, dir = 0;
    char           path[SETUP_PATH];
    unsigned       i;
    setup_file_t  *file;
    const char    *slash = strrchr(conf->path, '/');

    if (len == 0) {
        return NULL;
    }

    if (*value != '/' && slash != NULL) {
        dir = (int) (slash - conf->path) + 1;
    }

    room = snprintf(path, SETUP_PATH, "%.*s%.*s", dir, conf->path,
                    (int) len, value);

    for (i = 0; i < conf->count && strcmp(conf->files[i].path, path) != 0;
         i++)
    {
        /* void */
    }

    if (room >= SETUP_PATH || i == SETUP_FILES) {
        conf->left++;
        return NULL;
    }

    file = &conf->files[i];

    if (i == conf->count) {
        memcpy(file->path, path, sizeof(path));
        file->directive = word->name;
        conf->count++;
    }

    file->is_secret |= word->is_secret;

    return file;
}
