/*
 * Preloaded into an nginx: files of the system's directory of CAs are looked
 * up in another one, $SYSTEM_CAS (read when nginx starts; its workers have no
 * environment).  For tests/integration/test_system_cas.py.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>


#define FROM  "/etc/ssl/certs/"
#define FILE_OF_ALL  FROM "ca-certificates.crt"      /* stays */


static char  directory[PATH_MAX];


__attribute__((constructor)) static void
begin(void)
{
    const char  *name = getenv("SYSTEM_CAS");

    if (name != NULL) {
        snprintf(directory, sizeof(directory), "%s", name);
    }
}


static const char *
moved(const char *path, char *room)
{
    if (directory[0] == '\0' || strncmp(path, FROM, strlen(FROM)) != 0
        || strcmp(path, FILE_OF_ALL) == 0)
    {
        return path;
    }

    snprintf(room, 2 * PATH_MAX, "%s/%s", directory, path + strlen(FROM));

    return room;
}


FILE *
fopen(const char *path, const char *mode)
{
    char    room[2 * PATH_MAX];
    FILE *(*next)(const char *, const char *);

    next = (FILE *(*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");

    return next(moved(path, room), mode);
}


FILE *
fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}


int
stat(const char *restrict path, struct stat *restrict found)
{
    char    room[2 * PATH_MAX];
    int   (*next)(const char *, struct stat *);

    next = (int (*)(const char *, struct stat *)) dlsym(RTLD_NEXT, "stat");

    return next(moved(path, room), found);
}
