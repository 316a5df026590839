"""sgdmft sample: columns, reproducible paths, times and visits, errors; histograms of solve."""

import csv
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import support

sys.path.insert(0, os.environ["SGDMFT_MODULES"])
import sgdmft  # noqa: E402

LINEAR = """\
delta: 1.6
horizon: 2
model: {label: "s + 0.3*eps", loss: "(r - y)^2/2"}
initial: {teacher: "if(u < 0.2, z/sqrt(0.2), 0)", student: "0.3*ths + 0.9*z2"}
numerics: {grading: 1, method: linear, steps: 20, seed: 5}
output: {times: 6, histograms: [0, 1, 2], bins: 40}
"""

PENALTY = """\
delta: 1.6
eta: 0.8
horizon: 2
penalty: "0.3*log(cosh(5*th1))"
model: {label: "tanh(s) + 0.2*eps", loss: "(tanh(r) - y)^2/2"}
initial: {teacher: "if(u < 0.2, z/sqrt(0.2), 0)", student: "0.3*ths + 0.6*z2"}
numerics: {grading: 1, paths: 5000, replicas: 4, steps: 40, seed: 5}
output: {times: 6, histograms: [0, 1, 2], bins: 20}
"""


def read(path):
    """Comments, header, and columns as lists of texts."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    comments = [line[2:] for line in lines if line.startswith("#")]
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    assert all(len(row) == len(rows[0]) for row in rows)
    return comments, rows[0], dict(zip(rows[0], zip(*rows[1:])))


class Sample(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory(prefix="sgdmft-test-")
        two = support.PROBLEM
        for old, new in [("model:", "model:\n  students: 2"), ("tanh(r)", "tanh(r1 + r2)"), ("{q: 1.1, m: 0.3}", "{}"),
                         ("y*r", "y*r1")]:
            two = two.replace(old, new)
        for name, text in (("linear", LINEAR), ("penalty", PENALTY), ("two", two)):
            path = os.path.join(cls.kept.name, name + ".yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run([support.PROGRAM, "solve", path, "--quiet"], cwd=cls.kept.name, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    def run_of(self, name):
        return os.path.join(self.kept.name, name)

    def sample(self, *arguments, run="linear.h5", file="p.csv", **options):
        done = self.run_program("sample", self.run_of(run), "--csv", file, *arguments, **options)
        return done, *read(self.path(file))

    def test_columns(self):
        done, comments, header, columns = self.sample("--paths", "70")
        self.assertEqual(header, "path,t,visit,th1,ths1,w1,r1,s1,y1".split(","))
        self.assertEqual([float(t) for t in columns["t"][:6]], [0, 0.4, 0.8, 1.2, 1.6, 2])
        self.assertEqual(list(columns["path"]), [str(i // 6) for i in range(70 * 6)])
        self.assertEqual(set(columns["visit"]), {"0"})
        self.assertIn("program: sample", comments)
        self.assertIn("seed: 5", comments)
        self.assertIn("paths: 70", comments)
        self.assertTrue(any(line.startswith("command: sgdmft sample ") for line in comments))
        self.assertIn('problem:   teacher: "if(u < 0.2, z/sqrt(0.2), 0)"', comments)
        self.assertIn("p.csv: 70 paths at 6 times, t = 0 to 2", done.stdout)
        self.assertEqual(done.stderr, "")
        for i in range(0, 70 * 6, 6):  # constants of a path, and its start
            self.assertEqual(len({columns[name][i + j] for j in range(6) for name in ["s1"]}), 1)
            self.assertEqual(len({columns[name][i + j] for j in range(6) for name in ["ths1"]}), 1)
            self.assertEqual(columns["w1"][i], columns["r1"][i])

    def test_kinds(self):
        header = self.sample("--paths=2", "--what=coordinates", run="two.h5")[2]
        self.assertEqual(header, "path,t,th1,th2,ths1".split(","))
        header = self.sample("--paths=2", "--what=preactivations", file="q.csv", run="two.h5")[2]
        self.assertEqual(header, "path,t,visit,w1,w2,r1,r2,s1,y1".split(","))
        header = self.sample("--paths=2", "--what=both", file="r.csv", run="two.h5")[2]
        self.assertEqual(header, "path,t,visit,th1,th2,ths1,w1,w2,r1,r2,s1,y1".split(","))

    def test_paths_are_reproducible(self):
        few = self.sample("--paths=5", "--threads=1")[3]
        many = self.sample("--paths=200", "--threads=2", file="q.csv")[3]
        kinds = self.sample("--paths=5", "--what=coordinates", file="r.csv")[3]
        other = self.sample("--paths=5", "--seed=6", file="s.csv")[3]
        for name in few:
            self.assertEqual(few[name], many[name][:30], name)
        self.assertEqual(kinds["th1"], few["th1"])
        self.assertNotEqual(other["th1"], few["th1"])
        self.assertNotEqual(other["r1"], few["r1"])

    def test_times(self):
        columns = self.sample("--paths=1", "--times=1.96,0,0.52,0.5")[3]
        self.assertEqual([float(t) for t in columns["t"]], [0, 0.5, 2])

    def test_visits(self):
        header, columns = self.sample("--paths=64", "--visits", "--quiet")[2:]
        rows = [dict(zip(header, row)) for row in zip(*columns.values())]
        visits = [row for row in rows if row["visit"] != "0"]
        self.assertTrue(64 < len(visits) / 2 < 200)
        for before, after in zip(visits[::2], visits[1::2]):
            self.assertEqual((before["visit"], after["visit"], before["th1"], before["ths1"]), ("1", "2", "", ""))
            self.assertEqual([before[name] for name in ("path", "t", "w1", "y1")],
                             [after[name] for name in ("path", "t", "w1", "y1")])
            kick = float(before["r1"]) - float(before["y1"])
            self.assertAlmostEqual(float(after["r1"]), float(before["r1"]) - kick, places=7)
        for a, b in zip(rows, rows[1:]):
            self.assertTrue(a["path"] != b["path"] or float(a["t"]) <= float(b["t"]))
        plain = self.sample("--paths=64", file="q.csv")[3]
        self.assertEqual([row["r1"] for row in rows if row["visit"] == "0"], list(plain["r1"]))

    def test_losses(self):
        """Means over paths are the curves of the run."""
        columns = self.sample("--paths=20000", "--quiet")[3]
        values = {name: np.array(columns[name], float).reshape(-1, 6) for name in ("th1", "ths1", "w1", "r1", "y1")}
        with h5py.File(self.run_of("linear.h5")) as run:
            for name, sample in [
                ("train_loss", (values["r1"] - values["y1"]) ** 2 / 2),
                ("test_loss", (values["w1"] - values["y1"]) ** 2 / 2),
                ("q11", values["th1"] ** 2),
                ("m11", values["th1"] * values["ths1"]),
            ]:
                se = sample.std(axis=0) / np.sqrt(len(sample))
                z = (sample.mean(axis=0) - run["curves/" + name][:]) / se
                self.assertLess(np.abs(z).max(), 4.3, f"{name}: z = {z}")

    def test_default_name(self):
        self.run_program("sample", self.run_of("two.h5"), "--paths=3", "--quiet")
        self.assertEqual(self.files(), ["two_paths.csv"])
        self.refuse("sample", self.run_of("two.h5"), "--paths=3", code=4, mentions=["two_paths.csv", "--force"])
        self.run_program("sample", self.run_of("two.h5"), "--paths=3", "--quiet", "--force")

    def test_refusals(self):
        run = self.run_of("linear.h5")
        self.refuse("sample", run, mentions=["give --paths N"])
        self.refuse("sample", run, "--paths=0", mentions=["--paths: '0'"])
        self.refuse("sample", run, "--paths=1.5", mentions=["not a whole number"])
        self.refuse("sample", run, "--paths=2", "--what=theta",
                    mentions=["'theta'", "coordinates, preactivations or both"])
        self.refuse("sample", run, "--paths=2", "--times=3", mentions=["'3'", "from 0 to 2"])
        self.refuse("sample", run, "--paths=2", "--times=1,,2", mentions=["from 0 to 2"])
        self.refuse("sample", run, "--paths=2", "--what=coordinates", "--visits", mentions=["--visits"])
        self.refuse("sample", run, "--paths=2", "--csv=no/such.csv", code=4, mentions=["'no'"])
        self.refuse("sample", "missing.h5", "--paths=2", mentions=["missing.h5"])
        self.refuse("sample", self.run_of("linear.csv"), "--paths=2",
                    mentions=["no two-time arrays", "HDF5 file of 'sgdmft solve'"])

    def test_foreign_files(self):
        run = self.run_of("linear.h5")
        with h5py.File(self.path("empty.h5"), "w"):
            pass
        self.refuse("sample", "empty.h5", "--paths=2", mentions=["another kind"])

        def changed(name, change):
            with open(run, "rb") as old, open(self.path(name), "wb") as new:
                new.write(old.read())
            with h5py.File(self.path(name), "r+") as file:
                change(file)

        def drop(file):
            for name in "tCRm":
                del file[name]

        def shorten(file):
            R = file["R"][:5, :5]
            del file["R"]
            file["R"] = R

        def set_value(name, index, value):
            def change(file):
                file[name][index] = value

            return change

        def add_group(file):
            file["coordinates/eta_start"] = np.ones(20)

        def problem(old, new):
            def change(file):
                file.attrs["problem"] = file.attrs["problem"].replace(old, new)

            return change

        for change, mentions in [
            (drop, ["no two-time arrays", "simulation"]),
            (shorten, ["do not fit together"]),
            (set_value("C", (3, 2), np.nan), ["/C holds a value that is not finite"]),
            (set_value("t", 4, 0.1), ["do not ascend"]),
            (problem("0.3*ths", "0.4*ths"), ["other second moments"]),
            (problem("students: 1", "students: 2"), ["model.students = 2"]),
            (problem("dynamics: sgd", "dynamics: sgdd"), ["sgdd"]),
            (problem("lambda: 0.0", 'penalty: "th1^4"'), ["nonlinear process"]),
            (problem("dynamics: sgd", "dynamics: sme"), []),
            (add_group, ["/coordinates/L is missing"]),
        ]:
            changed("changed.h5", change)
            if mentions:
                self.refuse("sample", "changed.h5", "--paths=2", mentions=mentions)
            else:
                self.refuse("sample", "changed.h5", "--paths=2", "--visits", mentions=["not visited one by one"])
        changed("changed.h5", lambda file: file.attrs.__setitem__("status", "diverged"))
        done = self.run_program("sample", "changed.h5", "--paths=2")
        self.assertIn("warning: changed.h5: the solve ended early (diverged)", done.stderr)

        def make_indefinite(file):
            file["C"][8, 8] *= 0.5

        changed("changed.h5", make_indefinite)
        done = self.run_program("sample", "changed.h5", "--paths=2", "--force")
        self.assertIn("of the variance of theta is negative", done.stderr)

    def test_histograms(self):
        comments, header, columns = read(self.run_of("linear_histograms.csv"))
        self.assertEqual(header, ["t", "coordinate", "left", "right", "density"])
        self.assertIn("program: solve", comments)
        self.assertEqual(len(columns["t"]), 3 * 40)
        with h5py.File(self.run_of("linear.h5")) as run:
            t, edges, density = (run["histograms/" + name][:] for name in ("t", "edges", "density"))
        run = sgdmft.load(self.run_of("linear.h5"))
        self.assertTrue(np.array_equal(run.histograms["density"], density))
        self.assertIsNone(sgdmft.load(self.run_of("two.h5")).histograms)
        self.assertEqual((list(t), edges.shape, density.shape), ([0, 1, 2], (1, 41), (3, 1, 40)))
        np.testing.assert_allclose(np.array(columns["density"], float), density.ravel(), rtol=1e-11)
        drawn = self.sample("--paths=20000", "--what=coordinates", "--times=0,1,2", "--quiet")[3]
        theta = np.array(drawn["th1"], float).reshape(-1, 3)
        for i in range(3):
            want = density[i, 0] * np.diff(edges[0])
            got = np.histogram(theta[:, i], edges[0])[0] / len(theta)
            z = (got - want) / np.sqrt((want + 2 / len(theta)) / len(theta))
            self.assertLess(np.abs(z).max(), 4.5)

    def test_penalty(self):
        """A nonlinear process: means over paths are the curves, paths are reproducible, densities have errors."""
        columns = self.sample("--paths=10000", "--quiet", run="penalty.h5")[3]
        values = {name: np.array(columns[name], float).reshape(-1, 6) for name in ("th1", "ths1", "w1", "r1", "y1")}
        with h5py.File(self.run_of("penalty.h5")) as run:
            for name, sample in [
                ("train_loss", (np.tanh(values["r1"]) - values["y1"]) ** 2 / 2),
                ("test_loss", (np.tanh(values["w1"]) - values["y1"]) ** 2 / 2),
                ("q11", values["th1"] ** 2),
                ("m11", values["th1"] * values["ths1"]),
            ]:
                # the process is that of one replica of 5000 paths: its error, too
                se = sample.std(axis=0) * (1 / np.sqrt(10000) + 1 / np.sqrt(5000))
                z = (sample.mean(axis=0) - run["curves/" + name][:]) / se
                self.assertLess(np.abs(z).max(), 4.3, f"{name}: z = {z}")
            density, se, edges = (run["histograms/" + name][:] for name in ("density", "se", "edges"))
            self.assertEqual(run["coordinates/memory_kernel"].shape, (41, 41, 1, 1))
            self.assertEqual(run["coordinates/L"].shape, (40, 40, 1, 1))
        mass = (density[:, 0] * np.diff(edges[0])).sum(axis=1)
        self.assertTrue(np.all((mass > 1 - 4e-4) & (mass <= 1 + 1e-12)), mass)
        header, table = read(self.run_of("penalty_histograms.csv"))[1:]
        self.assertEqual(header, ["t", "coordinate", "left", "right", "density", "density_se"])
        np.testing.assert_allclose(np.array(table["density_se"], float), se.ravel(), rtol=1e-11)
        self.assertTrue(np.array_equal(sgdmft.load(self.run_of("penalty.h5")).histograms["se"], se))
        few = self.sample("--paths=5", "--threads=1", "--what=coordinates", run="penalty.h5", file="q.csv")[3]
        self.assertEqual(few["th1"], columns["th1"][:30])
        other = self.sample("--paths=5", "--times=2", "--what=coordinates", run="penalty.h5", file="r.csv")[3]
        self.assertEqual(other["th1"], columns["th1"][5:30:6])

        with open(self.run_of("penalty.h5"), "rb") as old, open(self.path("changed.h5"), "wb") as new:
            new.write(old.read())
        with h5py.File(self.path("changed.h5"), "r+") as file:
            del file["coordinates"]
        self.refuse("sample", "changed.h5", "--paths=2", mentions=["nonlinear process", "/coordinates"])

    def test_histograms_refused(self):
        self.write("p.yaml", LINEAR)
        self.refuse("check", "p.yaml", "--set", "output.histograms=[0, 3]",
                    mentions=["output.histograms: ", "beyond the horizon 2"])
        self.refuse("check", "p.yaml", "--set", "output.histograms=[1, 1]", mentions=["ascending order"])
        self.refuse("check", "p.yaml", "--set", "output.histograms=[]", mentions=["0 numbers; allowed: 1 to 1000"])
        self.refuse("check", "p.yaml", "--set", "output.histograms=[a]", mentions=["a is not a number"])
        self.refuse("check", "p.yaml", "--set", "output.histograms=-1", mentions=["out of range"])
        self.refuse("check", "p.yaml", "--set", "output.bins=0", mentions=["output.bins: "])
        self.write("p_histograms.csv", "kept\n")
        self.refuse("solve", "p.yaml", code=4, mentions=["p_histograms.csv"])


if __name__ == "__main__":
    support.main()
