"""The report's page as a PDF through its print style, in a real browser where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.reporting.formats import find_formats
from tests.unit.reporting.test_pages import page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name)) is not None), None)


def test_the_page_needs_nothing_from_outside_to_be_printed() -> None:
    text = find_formats()["html"](page())
    assert re.findall(r'(?:src|href)="|url\(|@import', text) == []
    (style,) = re.findall(r"@media print\{(.*)\}", text)
    assert "details{display:none}" in style
    assert "break-inside:avoid" in style


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_prints_it(tmp_path: Path) -> None:
    source, target = tmp_path / "report.html", tmp_path / "report.pdf"
    source.write_text(find_formats()["html"](page()), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={target}"]
    subprocess.run([str(BROWSER), *options, source.as_uri()], check=True, capture_output=True, timeout=120)
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 5_000
