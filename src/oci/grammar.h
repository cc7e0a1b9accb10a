/* SPDX-License-Identifier: MIT
 * The words a reference is made of: pure questions about bytes. */
#ifndef ORAS_OCI_GRAMMAR_H
#define ORAS_OCI_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/** distribution-spec, "Pulling manifests": <name>, and <reference> as a tag. No limits of
 * length but the tag's. */
bool oras_is_repository(const char *text, size_t size);
bool oras_is_tag(const char *text, size_t size);

/** A host name of letters, digits, '-' and '.', without port; not an IPv6 address. */
bool oras_is_host_name(const char *text, size_t size);

/** 64 lower-case hex digits: an image ID, not a name. */
bool oras_is_image_id(const char *text, size_t size);

#endif
