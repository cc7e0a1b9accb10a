/* SPDX-License-Identifier: MIT
 * What the files of layouts share. */
#ifndef ORAS_IO_LAYOUT_INTERNAL_H
#define ORAS_IO_LAYOUT_INTERNAL_H

#include "io/layout_tar.h"

#include <sys/types.h>

#define ORAS_LAYOUT_MARKER      "oci-layout" /* image-spec image-layout.md, "oci-layout file" */
#define ORAS_LAYOUT_INDEX       "index.json"
#define ORAS_LAYOUT_BLOBS       "blobs"

#define ORAS_LAYOUT_MARKER_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct oras_layout {
    char *path;   /* as it was given */
    dev_t device; /* of what was opened */
    ino_t inode;
    int root;             /* the directory; -1: it is a tar */
    oras_layout_tar *tar; /* NULL: it is a directory */
    char *staged;         /* its name in `parent`, where it goes with its end; NULL: it stays */
    int parent;           /* of what is staged */
};

/** A layout that holds nothing yet. */
oras_layout *oras_layout_new(const char *path);

/** A name below the layout: "blobs/sha256/<hex>". */
typedef struct oras_layout_name {
    char text[ORAS_DIGEST_TEXT_MAX + 16];
} oras_layout_name;
oras_layout_name oras_layout_name_of(const oras_digest *digest);

/** A small file as a whole, below the layout; `how` without root and path. */
oras_code oras_layout_write_file(int root, const char *name, const void *data, size_t size,
                                 mode_t umask, const oras_file_target *how, oras_error *err);

/** What a directory without a marker is to who makes layouts. */
typedef enum oras_layout_state {
    ORAS_LAYOUT_IS_MARKED,  /* it has one by now */
    ORAS_LAYOUT_IS_FREE,    /* empty, or only what one who makes a layout leaves behind */
    ORAS_LAYOUT_IS_FOREIGN, /* something else lies in it */
} oras_layout_state;

/** `foreign`: name of what lies in it, cut. Class io. */
oras_code oras_layout_look(int root, oras_layout_state *state, char foreign[64], oras_error *err);

#endif
