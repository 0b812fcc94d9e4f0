from __future__ import annotations

import subprocess
import sys

import flowscript_trio as fs


def test_every_public_name_can_be_imported_and_nothing_else_is_listed() -> None:
    assert sorted(fs._HOME_OF) == sorted(fs.__all__)
    for name in fs.__all__:
        assert getattr(fs, name) is not None
    assert set(fs.__all__) <= set(dir(fs))


def test_importing_the_package_imports_no_room_until_a_name_is_used() -> None:
    code = "import sys, flowscript_trio; sys.exit('trio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = "import sys, flowscript_trio as fs; fs.run; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
