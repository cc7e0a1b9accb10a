# SPDX-License-Identifier: MIT
"""A registry, token server, CDN, forward proxy and attacker in one process, scripted by tests."""
