"""What pyproject.toml promises about an installation, and .ci/run about a clean checkout."""
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -q -n 2 --dist worksteal"


def pinned(name):
    return next(str(r.specifier) for r in map(Requirement, PROJECT["dependencies"]) if r.name == name)


def test_installed_packages_lie_in_the_declared_ranges():
    """Catches a resolver that went back to an old release (s3fs of 2020) without an error, and tests run beside the ranges."""
    for requirement in map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]):
        assert requirement.specifier.contains(version(requirement.name)), f"{requirement} but {version(requirement.name)}"


def test_s3_packages_admit_each_other():
    """Catches a boto3 outside aiobotocore's window: s3fs would then fail, or have been taken from before the window existed."""
    for package in ("s3fs", "aiobotocore", "boto3"):
        for requirement in map(Requirement, requires(package)):
            if requirement.name in ("aiobotocore", "botocore", "boto3") and not requirement.marker:
                assert requirement.specifier.contains(version(requirement.name)), f"{package} wants {requirement}"


def test_both_builds_of_opencv_are_one_version():
    """Catches two builds of different versions writing into the same folder cv2."""
    assert re.fullmatch(r"==[\d.]+", pinned("opencv-python"))
    assert pinned("opencv-python") == pinned("opencv-python-headless")


def test_wheel_carries_every_module_and_the_weights(tmp_path):
    """Catches a package that imports from a checkout only, or one that is installed without its weights."""
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "README.md").write_text("any")
    shutil.copytree(ROOT / "tryon", tmp_path / "tryon", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    (tmp_path / "tryon" / "weights").mkdir()
    (tmp_path / "tryon" / "weights" / "a.safetensors").write_bytes(b"weights")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", "dist", "."]
    subprocess.run(build, cwd=tmp_path, check=True)
    wheel, = (tmp_path / "dist").glob("tryon-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tryon").rglob("*.py")}
    assert modules | {"tryon/weights/a.safetensors"} <= names
    assert not [n for n in names if n.startswith(("tests/", "jobs/"))]


def test_weights_fit_into_a_submitted_working_directory():
    """Catches weights that outgrow the 64 MB which `ray job submit --working-dir .` may upload at each start."""
    assert sum(p.stat().st_size for p in (ROOT / "tryon" / "weights").glob("*")) <= 64 * 2**20


def test_ci_runs_the_test_command_of_the_readme():
    """Catches a README whose second command nobody ever ran on a clean checkout."""
    assert TEST_COMMAND in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == TEST_COMMAND


def test_no_picture_is_in_the_repository():
    """A sheet of real photos that a script left in the working tree and ``git add -A`` took along: nothing made from them may be committed."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("no git checkout")
    tracked = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    assert "pyproject.toml" in tracked
    assert [f for f in tracked if re.search(r"\.(png|jpe?g|webp|gif|bmp|tiff?|avif|np[yz]|pkl|zip|t?gz|tar|parquet)$", f, re.I)] == []
