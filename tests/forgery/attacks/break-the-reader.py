"""Prints what a careless reader chokes on: no UTF-8, NUL, endless nesting, huge numbers."""

import sys
sys.stdout.buffer.write(b"\xff\xfe\0" * 100 + b"[" * 20000 + b"1e999999" + b"\r\n" * 100)
