"""Certificates for servers of tests."""

import shutil
import subprocess


def certificate(folder):
    """Files of a certificate for 127.0.0.1, signed by itself, and of its key; skips where nothing makes them."""
    if shutil.which("openssl") is None:
        import pytest

        pytest.skip("openssl makes the certificate")
    files = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    )
    where = ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    return files
