/* SPDX-License-Identifier: MIT
 * Up first, then down: "../../a/b". The way up is counted in real directories, since the link
 * stands in one; the way down may pass other links, each of which stays inside by the same
 * rule. A ".." behind a name is refused: that name may be a link to a directory higher up, and
 * what is above that one may be outside. */
#include "io/tree_link.h"

#include <stddef.h>
#include <string.h>

static int depth_of(const char *path)
{
    int depth = 0;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

bool oras_tree_link_stays_inside(const char *path, const char *target)
{
    int up = 0, down = 0;

    if (target[0] == '/' || target[0] == '\0')
        return false;
    while (*target) {
        size_t n = strcspn(target, "/");
        bool is_up = n == 2 && target[0] == '.' && target[1] == '.';

        if (is_up && down)
            return false;
        if (is_up)
            up++;
        else if (n > 1 || (n == 1 && target[0] != '.'))
            down++;
        target += n;
        target += *target == '/';
    }
    return up <= depth_of(path);
}
