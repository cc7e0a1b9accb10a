# SPDX-License-Identifier: MIT
"""A directory of 100,000 tiny files from docker-registry."""

import contents
import pull_dir


def run(bench):
    pull_dir.compare(bench, "pull_tiny: 100,000 files", "pull_tiny", contents.tiny_tree,
                     bench.rounds(3))
