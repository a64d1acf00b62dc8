"""Bytes that are no text, lines without an end, and what a terminal or a page would obey."""
import sys
from hostile import begin, check, held
begin()
sys.stdout.flush()
out = sys.stdout.buffer
out.write(b"a\0b\xff\xfe\xc3(\rc\x1b[2J\x1b]52;c;cGFzc2Vk\x07\xe2\x80\xae<script>alert(1)</script>\xed\xa0\x80\n")
out.write(b"x" * (128 << 10) + b"\n")
check("written", True)
held()
