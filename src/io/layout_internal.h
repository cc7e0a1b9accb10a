/* SPDX-License-Identifier: MIT
 * What the files of layouts share. */
#ifndef ORAS_IO_LAYOUT_INTERNAL_H
#define ORAS_IO_LAYOUT_INTERNAL_H

#include "io/layout.h"

#define ORAS_LAYOUT_MARKER "oci-layout" /* image-spec image-layout.md, "oci-layout file" */
#define ORAS_LAYOUT_INDEX  "index.json"
#define ORAS_LAYOUT_BLOBS  "blobs"

struct oras_layout {
    char *path; /* as it was given */
    int root;   /* the directory */
};

/** A name below the layout: "blobs/sha256/<hex>". */
typedef struct oras_layout_name {
    char text[ORAS_DIGEST_TEXT_MAX + 16];
} oras_layout_name;
oras_layout_name oras_layout_name_of(const oras_digest *digest);

#endif
