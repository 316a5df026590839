"""Shared by the tests of the program: they run it in an empty directory and look at the files it leaves."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ["SGDMFT_PROGRAM"]

# Small enough for a fraction of a second.
PROBLEM = """\
delta: 1.7
eta: 0.9
horizon: 1.5
model:
  label: "tanh(1.1*s) + 0.3*eps"
  predict: "tanh(r)"
  loss: "(f - y)^2/2"
initial: {q: 1.1, m: 0.3}
observables: {margin: "y*r"}
numerics: {paths: 300, replicas: 3, steps: 8, seed: 1234567890123456789}
output: {times: 4}
"""


class ProgramTest(unittest.TestCase):
    """Each test has a directory of its own, in which the program runs."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="sgdmft-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def files(self):
        return sorted(os.listdir(self.directory))

    def run_program(self, *arguments, code=0, timeout=300, **options):
        """Runs the program, which must end with exit code `code`. Returns the finished process."""
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=self.directory, stderr=subprocess.PIPE, text=True, timeout=timeout, **options
        )
        shown = f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, code, shown)
        if code not in (0, 1):
            self.assertTrue("sgdmft: " in done.stderr, shown)
        return done

    def refuse(self, *arguments, code=2, mentions=()):
        """The program must end with this exit code and a message that mentions the texts, and write no file."""
        before = self.files()
        done = self.run_program(*arguments, code=code)
        for part in mentions:
            self.assertIn(part, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.files(), before)
        return done


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
