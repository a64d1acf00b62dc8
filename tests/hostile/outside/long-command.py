"""A command of more than a megabyte gets one clear sentence; one of very many words is run."""
import json, os, subprocess
assay = os.environ["ASSAY"]
done = subprocess.run([assay, "run", "--json", "--", "/bin/true", *["x" * 100_000] * 15], capture_output=True, text=True, timeout=60)
lines = done.stderr.strip().split("\n")
assert done.returncode in (1, 2) and len(lines) == 1 and "1 MiB" in lines[0], done
done = subprocess.run([assay, "run", "--json", "--", "/bin/true", *[""] * 100_000], capture_output=True, text=True, timeout=60)
assert json.loads(done.stdout)["verdict"] == "passed", done
print("held 2")
