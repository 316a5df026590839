"""sgdmft sweep: points and their table, errors before the first solve, failed points, interruption, --resume."""

import csv
import os
import signal
import subprocess
import sys

import support


class WithProblem(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", support.PROBLEM)

    def sweep(self, *arguments, **options):
        return self.run_program("sweep", "p.yaml", *arguments, **options)

    def table(self, name="p-sweep/sweep.csv"):
        return list(csv.DictReader(line for line in self.read(name).splitlines() if not line.startswith("#")))

    def curves(self, name):
        """The lines that depend on the solution only."""
        own = ("# command", "# memory_bytes", "# wall_seconds", "# cpu_seconds")
        return [line for line in self.read(name).splitlines() if not line.startswith(own)]

    def bytes(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def age(self, name):
        info = os.stat(self.path(name))
        return info.st_ino, info.st_mtime_ns


class Sweep(WithProblem):
    def test_points(self):
        """All combinations, the last key fastest; solve gives the same curves as each point."""
        done = self.sweep("--over", "eta=0.5,1/(1+t)", "--over=delta=1:2:2", "--set", "lambda=0.25")
        self.assertEqual(done.stderr, "")
        self.assertLessEqual(len(done.stderr.splitlines()), 4)
        names = [f"{i:03}.{ending}" for i in range(1, 5) for ending in ("csv", "h5")]
        self.assertEqual(sorted(os.listdir(self.path("p-sweep"))), names + ["sweep.csv"])
        for part in ["p.yaml: 4 points, estimated", "point", "eta", "delta", "status", "train_loss", "test_loss",
                     "1/(1+t)", "written", "p-sweep/sweep.csv"]:
            self.assertIn(part, done.stdout)
        rows = self.table()
        self.assertEqual([row["point"] for row in rows], ["1", "2", "3", "4"])
        self.assertEqual(
            [(row["eta"], row["delta"]) for row in rows],
            [("0.5", "1"), ("0.5", "2"), ("1/(1+t)", "1"), ("1/(1+t)", "2")],
        )
        for i, row in enumerate(rows, 1):
            settings = [f"--set=eta={row['eta']}", f"--set=delta={row['delta']}", "--set=lambda=0.25"]
            self.run_program("solve", "p.yaml", "--quiet", "--csv=one.csv", "-oone.h5", "--force", *settings)
            self.assertEqual(self.curves(f"p-sweep/{i:03}.csv"), self.curves("one.csv"))
            header, *_, last = [line for line in self.read("one.csv").splitlines() if not line.startswith("#")]
            values = dict(zip(header.split(","), last.split(",")))
            self.assertEqual({name: row[name] for name in values}, values)
            self.assertEqual(row["status"], "ok")
        self.assertEqual(
            list(rows[0])[:10],
            "point,eta,delta,status,t,train_loss,train_loss_se,test_loss,test_loss_se,q11".split(","),
        )
        command = "sgdmft sweep p.yaml --over 'eta=0.5,1/(1+t)' --over=delta=1:2:2 --set lambda=0.25"
        self.assertIn(f"# command: {command}\n", self.read("p-sweep/sweep.csv"))
        self.assertIn(f"# command: {command}\n", self.read("p-sweep/003.csv"))
        self.assertTrue(self.read("p-sweep/sweep.csv").startswith("# program: sweep\n# version: "))

    def test_threads_do_not_matter(self):
        for n in ["1", "2"]:
            self.sweep("--over", "eta=0.5:1:3", "--threads", n, "-o", n, "--quiet")
        for name in ["001.csv", "002.csv", "003.csv", "sweep.csv"]:
            self.assertEqual(self.curves(f"1/{name}"), self.curves(f"2/{name}"))

    def test_quiet_directory_and_quotes(self):
        done = self.sweep("--over", "eta=min(1,2),0.3", "-o", "here//", "--quiet")
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.files(), ["here", "p.yaml"])
        self.assertEqual([row["eta"] for row in self.table("here/sweep.csv")], ["min(1,2)", "0.3"])

    def test_different_shapes(self):
        """Points may have different columns: the table has all in order, with nan where a point has no value."""
        self.sweep("--over", "observables.extra=null,r^2", "--over", "dynamics=sgd,online", "--quiet")
        rows = self.table()
        names = list(rows[0])
        self.assertLess(names.index("test_margin_se"), names.index("train_extra"))
        self.assertLess(names.index("test_extra_se"), names.index("R11"))
        self.assertEqual([row["train_extra"] == "nan" for row in rows], [True, True, False, False])
        self.assertEqual([row["dynamics"] for row in rows], ["sgd", "online"] * 2)

    def test_warnings_are_not_repeated(self):
        done = self.sweep("--over", "eta=0.5,1,2", "--set", "dynamics=online", "--quiet")
        self.assertEqual(done.stderr.count("warning: "), 1)


class Refusals(WithProblem):
    def test_over(self):
        self.refuse("sweep", "p.yaml", mentions=["no key to sweep", "--over eta=0.5,1,2", "sgdmft sweep --help"])
        self.refuse("sweep", "p.yaml", "--over", mentions=["'--over' needs a value"])
        for over, part in [
            ("etta=1,2", "unknown key 'etta'; did you mean 'eta'?"),
            ("steps=10,20", "did you mean 'numerics.steps'?"),
            ("zzzzzzzz=1", "allowed: dynamics"),
            ("model=1", "'model' is a section"),
            ("observables=r", "'observables' is a section"),
        ]:
            self.refuse("sweep", "p.yaml", "--over", over, mentions=[f"point 1 ({over.split(',')[0]}): ", part])
        self.refuse("sweep", "p.yaml", "--over", "eta=0:1:3log", mentions=["'0:1:3log'", "positive"])
        self.refuse("sweep", "p.yaml", "--over", "eta=1", "--over", "eta=2", mentions=["swept twice"])
        self.refuse("sweep", "p.yaml", "--over", "eta=1", "--set", "eta=2", mentions=["also given by --set"])

    def test_bad_points(self):
        """Errors of all points are found before the first is solved, which would take days."""
        long = ["--set=numerics.steps=4000"]
        for over, code, mentions in [
            ("eta=1,-1", 2, ["point 2 (eta=-1): ", "out of range"]),
            ("eta=1,2,sin(t", 2, ["point 3 (eta=sin(t): ", "not closed"]),
            ("dynamics=sgd,sgdx", 2, ["point 2 (dynamics=sgdx): ", "did you mean 'sgd'?"]),
            ("model.students=1,2", 2, ["point 2 (model.students=2): ", "initial.q"]),
            ("model.loss=(f-y)^2/2,1/(f-y)", 2, ["point 2 (model.loss=1/(f-y)): ", "pole"]),
            ("numerics.paths=64,1000000000", 4, ["point 2 (numerics.paths=1000000000): ", "GiB of memory"]),
        ]:
            self.refuse("sweep", "p.yaml", "--over", over, *long, code=code, mentions=mentions)

    def test_bad_files(self):
        self.refuse("sweep", "none.yaml", "--over", "eta=1", mentions=["none.yaml", "No such file"])
        self.refuse("sweep", "/dev/null", "--over", "eta=1", mentions=["not a regular file"])
        self.refuse("sweep", "p.yaml", "--over", "eta=1", "-o", "", mentions=["directory is empty"])
        self.refuse("sweep", "p.yaml", "--over", "eta=1", "-o", "no/x", code=4, mentions=["'no/x'", "cannot create"])
        self.refuse("sweep", "p.yaml", "--over", "eta=1", "-o", "p.yaml", code=4, mentions=["'p.yaml'"])

    def test_problem_file_is_safe(self):
        os.mkdir(self.path("d"))
        for name in ["d/sweep.csv", "d/001.csv"]:
            self.write(name, support.PROBLEM)
            done = self.run_program("sweep", name, "--over", "eta=1", "-o", "d", "--force", code=2)
            self.assertIn("would be overwritten", done.stderr)
            self.assertEqual(self.read(name), support.PROBLEM)
            os.unlink(self.path(name))

    def test_nothing_is_overwritten(self):
        os.mkdir(self.path("p-sweep"))
        for name in ["p-sweep/002.h5", "p-sweep/001.csv", "p-sweep/sweep.csv"]:
            self.write(name, "precious\n")
            for more in [], ["--resume"]:
                done = self.sweep("--over", "eta=1,2", "--set=numerics.steps=4000", *more, code=4)
                self.assertIn(name, done.stderr)
                self.assertIn("--force", done.stderr)
                self.assertEqual(self.read(name), "precious\n")
            self.assertEqual(os.listdir(self.path("p-sweep")), [os.path.basename(name)])
            os.unlink(self.path(name))
        self.write("p-sweep/001.csv", "precious\n")
        self.sweep("--over", "eta=1,2", "--quiet", "--force")
        self.assertIn("# status: ok", self.read("p-sweep/001.csv"))
        done = self.sweep("--over", "eta=1,2", code=4)
        self.assertIn("use --resume to keep its complete points", done.stderr)

    def test_full_disk(self):
        os.mkdir(self.path("p-sweep"))
        os.symlink("/dev/full", self.path("p-sweep/002.h5"))
        done = self.sweep("--over", "eta=1,2,3", code=4)
        self.assertIn("002.h5': cannot write: No space left", done.stderr)
        self.assertIn("written (incomplete)", done.stdout)
        self.assertEqual([row["status"] for row in self.table()], ["ok", "ok", "not run"])
        self.assertNotIn("002.csv", os.listdir(self.path("p-sweep")), "no curves without their arrays")


class Resuming(WithProblem):
    def test_untrusted_point(self):
        """The sweep goes on after a point without a solution, and ends with exit code 3."""
        self.write("p.yaml", support.PROBLEM.replace("tanh(r)", "r").replace("horizon: 1.5", "horizon: 20"))
        over = ["--over", "eta=4.5,1e-3"]
        done = self.sweep(*over, code=3)
        self.assertIn("point 1 (eta=4.5): ", done.stderr)
        rows = self.table()
        self.assertIn(rows[0]["status"], ["diverged", "not converged", "not finite"])
        self.assertIn(f"# status: {rows[0]['status']}\n", self.read("p-sweep/001.csv"))
        self.assertLess(float(rows[0]["t"]), 20.0)
        self.assertEqual((rows[1]["status"], rows[1]["t"]), ("ok", "20"))
        # It would only fail again: kept, and the exit code is the same.
        before, table = self.age("p-sweep/001.csv"), self.table()
        done = self.sweep(*over, "--resume", code=3)
        self.assertIn("2 of them complete", done.stdout)
        self.assertIn(f"point 1 (eta=4.5): {rows[0]['status']}", done.stderr)
        self.assertEqual(self.age("p-sweep/001.csv"), before)
        self.assertEqual(self.table(), table)

    def test_keeps_what_is_complete(self):
        over = ["--over", "eta=0.5,1,2"]
        self.sweep(*over, "--quiet")
        table = self.bytes("p-sweep/sweep.csv")
        kept = self.age("p-sweep/001.csv"), self.age("p-sweep/001.h5")
        os.unlink(self.path("p-sweep/002.h5"))
        old = self.age("p-sweep/002.csv")
        os.unlink(self.path("p-sweep/003.csv"))
        os.unlink(self.path("p-sweep/003.h5"))
        os.unlink(self.path("p-sweep/sweep.csv"))
        done = self.sweep(*over, "--resume")
        self.assertIn("3 points, 1 of them complete, estimated", done.stdout)
        self.assertEqual(done.stdout.count("ok, kept"), 1)
        self.assertEqual((self.age("p-sweep/001.csv"), self.age("p-sweep/001.h5")), kept)
        self.assertNotEqual(self.age("p-sweep/002.csv"), old)
        resumed = self.bytes("p-sweep/sweep.csv")
        self.assertEqual(resumed.replace(b" --resume", b"").replace(b" --quiet", b""), table.replace(b" --quiet", b""))

    def test_chosen_numbers(self):
        """Points whose numbers the solver chose are kept, and are not those of another accuracy or other numbers."""
        tanh = support.PROBLEM.replace("paths: 300, replicas: 3, steps: 8, ", "")
        linear = tanh.replace("tanh(1.1*s)", "s").replace("tanh(r)", "r")
        for text in [tanh, linear]:
            self.write("p.yaml", text)
            over = ["--over", "eta=0.5,0.6", "--accuracy=0.03"]
            self.sweep(*over, "--quiet", "--force")
            done = self.sweep(*over, "--resume")
            self.assertEqual(done.stdout.count("ok, kept"), 2)
            self.sweep("--over", "eta=0.5,0.6", "--accuracy=0.04", "--resume", code=4)
            self.sweep(*over, "--set=numerics.steps=4", "--resume", code=4)
            self.sweep(*over, "--set=numerics.grading=2", "--resume", code=4)

    def test_other_problem(self):
        self.sweep("--over", "eta=0.5,1", "--quiet")
        before = self.bytes("p-sweep/002.csv")
        done = self.sweep("--over", "eta=0.5,2", "--resume", code=4)
        self.assertIn("point 2 (eta=2): ", done.stderr)
        self.assertIn("not of this problem", done.stderr)
        self.sweep("--over", "eta=0.5,1", "--set=numerics.seed=7", "--resume", code=4)
        self.assertEqual(self.bytes("p-sweep/002.csv"), before)
        kept = self.age("p-sweep/001.csv")
        self.sweep("--over", "eta=0.5,2", "--resume", "--force", "--quiet")
        self.assertEqual(self.age("p-sweep/001.csv"), kept)
        self.assertEqual([row["eta"] for row in self.table()], ["0.5", "2"])
        self.assertIn("# problem: eta: 2.0\n", self.read("p-sweep/002.csv"))

    def test_other_version(self):
        self.sweep("--over", "eta=0.5,1", "--quiet")
        text = self.read("p-sweep/001.csv")
        self.write("p-sweep/001.csv", text.replace("# version: ", "# version: 9"))
        self.assertIn("point 1", self.sweep("--over", "eta=0.5,1", "--resume", code=4).stderr)

    def test_unfinished_point(self):
        """A point that was interrupted is solved again."""
        self.sweep("--over", "eta=0.5,1", "--quiet")
        text = self.read("p-sweep/002.csv")
        self.write("p-sweep/002.csv", text.replace("# status_code: 0", "# status_code: 403"))
        kept = self.age("p-sweep/001.csv")
        self.assertIn("1 of them complete", self.sweep("--over", "eta=0.5,1", "--resume").stdout)
        self.assertEqual(self.age("p-sweep/001.csv"), kept)
        self.assertIn("# status_code: 0", self.read("p-sweep/002.csv"))

    def test_interruption(self):
        """Complete points are kept, and the point that the signal interrupts, if any, is marked."""
        arguments = ["sweep", "p.yaml", "--over", "numerics.steps=8,1000,10", "--set", "numerics.paths=4000"]
        process = subprocess.Popen([support.PROGRAM, *arguments, "--threads", "1"], cwd=self.directory,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for _ in range(3):  # estimate, header, first point: the second starts
            line = process.stdout.readline()
        self.assertIn(" ok ", line)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("--resume", err)
        self.assertIn("written (incomplete)", out)
        first, second, third = self.table()
        self.assertEqual((first["status"], third["status"], third["train_loss"]), ("ok", "not run", "nan"))
        self.assertIn("# status: ok\n", self.read("p-sweep/001.csv"))
        if second["status"] == "interrupted":
            self.assertIn("point 2 (numerics.steps=1000): ", err)
            self.assertIn("# status: interrupted\n", self.read("p-sweep/002.csv"))
        else:
            self.assertEqual(second["status"], "not run")
            self.assertNotIn("002.csv", os.listdir(self.path("p-sweep")))


class Figures(WithProblem):
    """Sweeps in python/sgdmft_plot.py, in the Python that runs the tests."""

    def setUp(self):
        super().setUp()
        sys.path.insert(0, os.environ["SGDMFT_MODULES"])
        self.addCleanup(sys.path.remove, os.environ["SGDMFT_MODULES"])

    def test_labels(self):
        import sgdmft
        import sgdmft_plot

        more = ["--over=dynamics=sgd,online", "--set", "lambda=0.1"]
        self.sweep("--over", "eta=1,1/(1+t)", *more, "--over", "numerics.steps=8", "--quiet")
        self.run_program("solve", "p.yaml", "--quiet")
        paths = [self.path(name) for name in ["p-sweep/001.csv", "p-sweep/004.h5", "p.csv"]]
        labels = sgdmft_plot.label_runs([sgdmft.load(path) for path in paths])
        self.assertEqual(
            labels, ["eta = 1, dynamics = sgd, steps = 8", "eta = 1/(1+t), dynamics = online, steps = 8", "p"]
        )
        # Names of files where the values alone do not tell runs apart.
        both = [sgdmft.load(self.path(f"p-sweep/001.{ending}")) for ending in ("csv", "h5")]
        self.assertEqual(sgdmft_plot.label_runs(both), ["001.csv", "001.h5"])

    def test_table_stands_for_points(self):
        import sgdmft_plot

        self.sweep("--over", "eta=1,2", "--quiet")
        points = [self.path(f"p-sweep/00{i}.csv") for i in (1, 2)]
        table = self.path("p-sweep/sweep.csv")
        self.assertEqual(sgdmft_plot.replace_tables([table]), points)
        self.assertEqual(sgdmft_plot.replace_tables([*points, table]), points)
        text = self.read("p-sweep/sweep.csv")
        self.write("p-sweep/sweep.csv", text[: text.index("\n2,")] + "\n2,2,not run,nan\n")
        self.assertEqual(sgdmft_plot.replace_tables([table]), points[:1])
        self.run_program("plot", "p-sweep/sweep.csv", "-o", "f.svg")


if __name__ == "__main__":
    support.main()
