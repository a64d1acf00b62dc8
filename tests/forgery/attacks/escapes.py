"""Prints terminal escapes, markup and text that reads from right to left."""

import sys
if sys.argv[1] == "build":
    print("\x1b[2J\x1b[H\x1b]0;passed\x07\x1b]52;c;cGFzc2Vk\x07\u202e02 / 02 dessap<script>document.title='passed'</script>\0")
