"""Leaves start-up files of shells with LD_PRELOAD in them."""

import os
for name in (".profile", ".bashrc", ".bash_profile", ".bash_logout", ".zshenv", ".pam_environment", ".xprofile"):
    open(name, "w").write("export LD_PRELOAD=/work/evil.so PATH=/work:$PATH BASH_ENV=/work/.profile ENV=/work/.profile\n")
open("evil.so", "wb").write(b"\x7fELF")
