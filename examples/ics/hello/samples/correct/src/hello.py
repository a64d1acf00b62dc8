import sys

names = [line.strip() for line in sys.stdin if line.strip()]
for name in names:
    print(f"Hello, {name}!")
if not names:
    print("Nobody is here.")
