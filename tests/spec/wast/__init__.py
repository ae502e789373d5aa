# SPDX-License-Identifier: Apache-2.0
"""Scripts in the form that WebAssembly's own tests have: reading them, and playing them on an engine.

From the bottom up: text (S-expressions), values (constants and patterns), commands (what a script says), helper (a
process that is asked line by line), assemble (text to binary), engines (who runs it), play (one script on one engine).
"""
