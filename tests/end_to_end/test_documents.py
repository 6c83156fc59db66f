import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from deploy.local.parts import ROOT
from tests.stack import Stack

pytestmark = pytest.mark.stack

PAGE = ROOT / "docs" / "admin-with-grpcurl.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def grpcurl() -> Path:
    """The real one; CI must have it."""
    found = shutil.which(
        "grpcurl", path=os.pathsep.join((os.environ["PATH"], str(Path.home() / "go" / "bin")))
    )
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("grpcurl is not installed")
    assert found is not None, "grpcurl is not installed"
    return Path(found)


def test_the_commands_for_administrators_work_as_written(stack: Stack, grpcurl: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(stack.folder.path)
    script = "\n".join(["set -euo pipefail", *BLOCK.findall(PAGE.read_text())])
    path = os.pathsep.join((str(grpcurl.parent), os.environ["PATH"]))

    done = subprocess.run(
        ("bash", "-c", script),
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for word in (
        "inkweld.media.v1.ImageService",
        '"last_four": "0000"',
        '"image_ready"',
        '"state": "SUCCEEDED"',
        '"saved": true',
    ):
        assert word in done.stdout
    assert "sk-not-a-real-key" not in done.stdout
    with Image.open(io.BytesIO((tmp_path / "lighthouse.png").read_bytes())) as picture:
        assert picture.size == (1024, 1024)
