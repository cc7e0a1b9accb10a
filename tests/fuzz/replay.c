/* SPDX-License-Identifier: MIT
 * Feeds a fuzz target from files and directories, without a fuzzer: each file whole, and each
 * prefix of the small ones, for what a cut connection leaves. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define FILE_MAX   ((size_t)1024 * 1024)
#define PREFIX_MAX 512
#define PATH_BYTES 4096

static int n_inputs;

/* A block of exactly the size, so that a sanitizer sees every step beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    REQUIRE(copy);
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_inputs++;
}

static int replay_file(const char *path)
{
    static uint8_t data[FILE_MAX];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file) {
        fprintf(stderr, "cannot read '%s'\n", path);
        return 1;
    }
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    run(data, size);
    for (size_t cut = 0; size <= PREFIX_MAX && cut < size; cut++)
        run(data, cut);
    return 0;
}

static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int failed = directory ? 0 : 1;

    while (directory && (entry = readdir(directory))) {
        char name[PATH_BYTES];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failed |= replay_file(name);
    }
    if (directory)
        closedir(directory);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        struct stat status;

        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
            failed |= replay_directory(argv[i]);
        else
            failed |= replay_file(argv[i]);
    }
    if (n_inputs == 0)
        fprintf(stderr, "no input; usage: %s FILE or DIRECTORY...\n", argv[0]);
    return failed || n_inputs == 0;
}
