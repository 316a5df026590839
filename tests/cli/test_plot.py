"""sgdmft plot: every type of figure, from both types of file, and all errors."""

import os
import re
import stat
import subprocess
import sys
import tempfile

import support

SIMULATION = """\
# independent finite-d simulation: case=x d=3000
t,train_loss,train_loss_se
0,.6,.01
1,.4,.01
1.5,.3,.01
"""


class WithRun(support.ProgramTest):
    """One solve for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory(prefix="sgdmft-test-")
        with open(os.path.join(cls.kept.name, "p.yaml"), "w") as file:
            file.write(support.PROBLEM)
        subprocess.run([support.PROGRAM, "solve", "p.yaml", "--quiet"], cwd=cls.kept.name, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    def setUp(self):
        super().setUp()
        self.h5, self.csv = (os.path.join(self.kept.name, name) for name in ("p.h5", "p.csv"))


class Plot(WithRun):
    def bytes(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_every_type(self):
        self.write("simulation.csv", SIMULATION)
        starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
        for kind, start in starts.items():
            done = self.run_program("plot", self.h5, "simulation.csv", "-o", f"f.{kind}")
            self.assertEqual(done.stdout + done.stderr, "")
            figure = self.bytes(f"f.{kind}")
            self.assertTrue(figure.startswith(start))
            self.assertGreater(len(figure), 5000)
            self.run_program("plot", self.h5, "simulation.csv", "-o", f"again.{kind}")
            self.assertEqual(self.bytes(f"again.{kind}"), figure, f"the same {kind} from the same curves")
        self.assertEqual(len(self.files()), 7)

    def test_csv_and_h5_look_the_same(self):
        self.run_program("plot", self.h5, "-o", "h5.svg")
        self.run_program("plot", self.csv, "-o", "csv.svg")
        # CSV has twelve digits: coordinates may differ in the last decimal that SVG has.
        number = re.compile(r"-?\d+\.\d+")
        h5, csv = self.read("h5.svg"), self.read("csv.svg")
        self.assertEqual(number.split(h5), number.split(csv))
        for x, y in zip(number.findall(h5), number.findall(csv)):
            self.assertAlmostEqual(float(x), float(y), delta=1e-4)

    def test_existing_figure(self):
        self.write("f.svg", "precious\n")
        self.refuse("plot", self.csv, "-o", "f.svg", code=4, mentions=["f.svg", "--force"])
        self.assertEqual(self.read("f.svg"), "precious\n")
        self.run_program("plot", self.csv, "-o", "f.svg", "--force")
        self.assertGreater(len(self.read("f.svg")), 5000)

    def test_refusals(self):
        self.refuse("plot", self.csv, mentions=["no figure is named"])
        self.refuse("plot", self.csv, "-o", "f.jpg", mentions=["'f.jpg'", ".svg, .pdf or .png"])
        self.refuse("plot", self.csv, "-o", "no/f.svg", code=4, mentions=["does not exist"])
        self.write("bad.csv", "t,q11,q11_se\n0,1,0\n1,x,0\n")
        self.refuse("plot", "bad.csv", "-o", "f.svg", mentions=["bad.csv:3", "'x'"])
        self.write("text.h5", "no HDF5\n")
        self.refuse("plot", "text.h5", "-o", "f.svg", mentions=["text.h5"])
        with open(self.path("cut.h5"), "wb") as file, open(self.h5, "rb") as whole:
            file.write(whole.read()[:4000])
        self.refuse("plot", "cut.h5", "-o", "f.svg", mentions=["cut.h5"])
        self.write("empty.csv", "t,q11,q11_se\n0,nan,0\n")
        self.refuse("plot", "empty.csv", "-o", "f.svg", mentions=["nothing to draw"])

    def test_without_python(self):
        for python in ["/nonexistent/python3", "false"]:
            environment = {**os.environ, "SGDMFT_PYTHON": python}
            done = self.run_program("plot", self.csv, "-o", "f.svg", code=4, env=environment)
            self.assertIn(f"SGDMFT_PYTHON is '{python}'", done.stderr)
            self.assertIn("matplotlib", done.stderr)
        # A Python that cannot find its libraries.
        self.write("bare", f"#!/bin/sh\nexec {sys.executable} -S -I \"$@\"\n")
        os.chmod(self.path("bare"), stat.S_IRWXU)
        done = self.run_program("plot", self.csv, "-o", "f.svg", code=4, env={**os.environ, "SGDMFT_PYTHON": "./bare"})
        self.assertIn("not a Python 3 with the modules matplotlib", done.stderr)


class Reader(WithRun):
    """python/sgdmft.py, in the Python that runs the tests."""

    def test_load(self):
        sys.path.insert(0, os.environ["SGDMFT_MODULES"])
        try:
            import h5py  # noqa: F401
            import sgdmft
        except ImportError as error:
            self.fail(f"this Python cannot read results: {error}")
        h5, csv = sgdmft.load(self.h5), sgdmft.load(self.csv)
        names = ["train_loss", "test_loss", "q11", "m11", "train_margin", "test_margin", "R11"]
        for run in (h5, csv):
            self.assertEqual(list(run.curves), names)
            self.assertEqual(list(run.times), [0.0, 0.5, 1.0, 1.5])
            self.assertEqual(run.setting("delta"), "1.7")
            self.assertEqual(run.setting("numerics.steps"), "8")
            self.assertIsNone(run.setting("steps"))
            self.assertEqual(int(run.info["seed"]), 1234567890123456789)
            self.assertFalse(run.simulated)
        self.assertEqual(h5.problem, csv.problem)
        for name in names:
            self.assertLess(abs(h5.curves[name] - csv.curves[name]).max(), 1e-10)
            self.assertLess(abs(h5.se[name] - csv.se[name]).max(), 1e-10)
        self.assertEqual(h5.C.shape, (9, 9, 1, 1))
        self.assertEqual(h5.R.shape, (9, 9, 1, 1))
        self.assertEqual(h5.m.shape, (9, 1, 1))
        self.assertEqual(h5.residual.shape, h5.t.shape)
        self.assertTrue((h5.R[range(9), range(9), 0, 0] == 1.0).all())
        self.assertEqual(abs(h5.R[2, 3:]).max(), 0.0)
        self.assertIsNone(csv.C)
        self.write("s.csv", SIMULATION)
        self.assertTrue(sgdmft.load(self.path("s.csv")).simulated)
        bad = [("a,b\n", "no column 't'"), ("t,a\n1\n", ":2: 1 values"), ("t,a\n1,x\n", ":2: "), ("", "no header")]
        for text, part in bad:
            self.write("bad.csv", text)
            with self.assertRaisesRegex(ValueError, part):
                sgdmft.load(self.path("bad.csv"))


if __name__ == "__main__":
    support.main()
