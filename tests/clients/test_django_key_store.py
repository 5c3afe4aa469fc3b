"""The page's key store for Django, with Django."""

import re
import subprocess
from pathlib import Path

from tests.clients.test_webhook_adapters import PYTHON, ROOT

PROGRAM = """
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"}})
import django
django.setup()
from django.db import connection, models

class PayflowxKey(models.Model):
    purpose = models.TextField(unique=True)
    key = models.TextField()
    class Meta:
        app_label = "shop"

with connection.schema_editor() as editor:
    editor.create_model(PayflowxKey)
"""
USE = """
assert DjangoKeyStore(PayflowxKey).key_for("order 1", "key-a") == "key-a"
assert DjangoKeyStore(PayflowxKey).key_for("order 1", "key-b") == "key-a"
assert DjangoKeyStore(PayflowxKey).key_for("order 2", "key-c") == "key-c"
print(PayflowxKey.objects.count())
"""


def test_it_keeps_the_first_key(tmp_path: Path) -> None:
    found = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "clients" / "retry.md").read_text(), re.DOTALL)
    (snippet,) = (each for each in found if "DjangoKeyStore" in each and "class" in each)
    program = PROGRAM + snippet + USE
    command = [str(PYTHON), "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr
