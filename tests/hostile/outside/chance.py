"""A verdict that is a matter of chance is found when the module's author checks it."""
import os, subprocess
assay, place = os.environ["ASSAY"], os.environ["PLACE"]
module = f"{place}/Sum"
subprocess.run([assay, "module", "new", module], check=True, capture_output=True, timeout=60)
os.makedirs(f"{module}/samples/chance/src")
open(f"{module}/samples/chance/expect.toml", "w").write('verdict = "passed"\n')
open(f"{module}/samples/chance/src/sum.py", "w").write("import os, sys\nsys.stdin.read()\nprint(os.urandom(16).hex())\n")
done = subprocess.run([assay, "module", "check", module], capture_output=True, text=True, timeout=120)
said = done.stdout + done.stderr
assert done.returncode == 1 and "warning: " in said and "two numbers" in said, said
print("held 2")
