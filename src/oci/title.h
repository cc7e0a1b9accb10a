/* SPDX-License-Identifier: MIT
 * Names that come from a manifest and are to become files; paths that are to become names. */
#ifndef ORAS_OCI_TITLE_H
#define ORAS_OCI_TITLE_H

#include "base/buf.h"

#define ORAS_TITLE_MAX           4096 /* bytes */
#define ORAS_TITLE_COMPONENT_MAX 255  /* bytes: NAME_MAX of the file systems we write to */
#define ORAS_TITLE_DEPTH_MAX     64   /* components */

/**
 * Check a title (org.opencontainers.image.title) and put it into *out as a plain relative
 * path, without "." components.
 *
 * Class path: nothing is left of it; absolute; a "..", empty or too long component, too many of
 * them; control characters, bytes that are no UTF-8; what names something else on Windows
 * ("C:x", "a\b", "NUL", a dot or space at a component's end), unless `any_system`; the name of a
 * temporary of ours.
 *
 * @param out  cleared first
 */
oras_code oras_title_clean(const char *title, size_t size, bool any_system, oras_buf *out,
                           oras_error *err);

/**
 * `path` relative to `directory`, "." for the directory itself. Both are made absolute with
 * `cwd` and cleaned, nothing on disk is looked at.
 *
 * @param out  cleared first
 * @return false when it is outside (or *out failed: ask oras_buf_check)
 */
bool oras_path_relative(const char *cwd, const char *path, const char *directory, oras_buf *out);

#endif
