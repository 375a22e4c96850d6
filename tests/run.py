"""All the set-up of the tests, and the tests: ``python3 tests/run.py``. Needs Python 3.11 with pip, nothing else.

Debian packages where it may (as root, or with sudo without a password), a virtual environment, lint, types, tests. With
``REQUIRE_REAL=1`` a real component that is missing (ODBC, the real shop, strace) fails the run instead of skipping.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PATIENT = ["tests/contract", "tests/e2e"]
PACKAGES = ["python3-venv", "libodbc2", "libgssapi-krb5-2", "tdsodbc", "odbc-mdbtools", "strace"]


def main() -> None:
    """Set up and run; ends with the exit code of the first step that failed."""
    install_debian_packages()
    python = make_environment()
    bin_folder = python.parent
    step("lint", str(bin_folder / "ruff"), "check", ".")
    step("format", str(bin_folder / "ruff"), "format", "--check", ".")
    step("types", str(python), "-m", "mypy")
    if sys.argv[1:]:
        step("tests", str(python), "-m", "pytest", *sys.argv[1:])
    else:
        both_halves(str(python))


def both_halves(python: str) -> None:
    """Run all tests in two processes: those of one half mostly wait for a real shop."""
    say(f"tests, and beside them {', '.join(PATIENT)}")
    command = [python, "-m", "pytest"]
    with tempfile.TemporaryFile() as output:
        patient = subprocess.Popen([*command, *PATIENT], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            others = [f"--ignore={folder}" for folder in PATIENT]
            code = subprocess.run([*command, *others], cwd=ROOT, check=False).returncode
            say(", ".join(PATIENT))
            code = patient.wait() or code
        finally:
            patient.kill()
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout.buffer)
        sys.stdout.flush()
    if code:
        say("tests failed")
        sys.exit(code)


def install_debian_packages() -> None:
    """Install what is missing, if this is Debian and we may; say what is missing otherwise."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-query"):
        return
    missing = [package for package in PACKAGES if not installed(package)]
    if not missing:
        return
    prefix: list[str] = []
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        prefix = ["sudo", "-n"]
        ask = ["sudo", "-n", "true"]
        if not shutil.which("sudo") or subprocess.run(ask, check=False, capture_output=True).returncode:
            say(f"not root: what needs {', '.join(missing)} is skipped; apt-get install them to run it all")
            return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*prefix, "apt-get", "update", "-qq"], env=quiet, check=False)
    install = [*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if subprocess.run(install, env=quiet, check=False).returncode:
        say(f"could not install {', '.join(missing)}: what needs them is skipped")


def installed(package: str) -> bool:
    """Tell whether a Debian package is there."""
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return "install ok installed" in answer.stdout


def make_environment() -> Path:
    """Make the virtual environment with the project and its test tools; returns its Python."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(ENVIRONMENT)  # works without python3-venv
    step("install", sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "-e", f"{ROOT}[test]")
    return python


def step(name: str, *command: str) -> None:
    """Run one step; end with its exit code if it fails."""
    say(name)
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        say(f"{name} failed")
        sys.exit(code)


def say(text: str) -> None:
    """Say what is going on."""
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    main()
