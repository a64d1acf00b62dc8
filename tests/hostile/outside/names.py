"""Words that a shell, a compiler's response file or a linker would obey are words."""
import json, os, subprocess
assay = os.environ["ASSAY"]
words = ["; touch /tmp/obeyed", "$(touch /tmp/obeyed)", "`touch /tmp/obeyed`", "| id", "&& id", "@/etc/passwd", "-Wl,-T,/etc/passwd", "a b", "*", "~", "'\"", "\n", "", "\\", "%s%n", "--", "-rf"]
done = subprocess.run([assay, "run", "--json", "--", "python3", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))", *words],
                      capture_output=True, text=True, timeout=60)
assert json.loads(json.loads(done.stdout)["stdout"]) == words, done
done = subprocess.run([assay, "run", "--json", "--", words[0]], capture_output=True, text=True, timeout=60)
found = json.loads(done.stdout)
assert found["exit_code"] == 127 and not os.path.exists("/tmp/obeyed"), found
print("held", len(words) + 1)
