"""sgdmft simulate: the same files and columns as solve, the same curves at any number of threads, exit codes."""

import os
import signal
import subprocess
import time

import support


class Simulate(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", support.PROBLEM + "simulate: {d: 120, repetitions: 5}\n")

    def lines(self, name):
        return [line for line in self.read(name).splitlines() if not line.startswith("#")]

    def test_outputs(self):
        done = self.run_program("simulate", "p.yaml", "--threads=1")
        self.assertEqual(self.files(), ["p.csv", "p.h5", "p.yaml"])
        for part in ["estimated", "5 of d = 120, n = 204", "time per visit", "shares of CPU time", "p.h5, p.csv"]:
            self.assertIn(part, done.stdout)
        header, *rows = self.lines("p.csv")
        self.assertEqual(
            header,
            "t,train_loss,train_loss_se,test_loss,test_loss_se,q11,q11_se,m11,m11_se,train_margin,train_margin_se,"
            "test_margin,test_margin_se",
        )
        self.assertEqual([float(row.split(",")[0]) for row in rows], [0.0, 0.5, 1.0, 1.5])
        self.assertIn("# program: simulate\n", self.read("p.csv"))
        self.assertIn("# replicas: 5\n", self.read("p.csv"))
        self.assertIn("# visits: 1530\n", self.read("p.csv"))
        self.refuse("simulate", "p.yaml", code=4, mentions=["p.h5", "--force"])

    def test_threads(self):
        for threads in "1", "3":
            self.run_program("simulate", "p.yaml", "--threads", threads, "--quiet", "--csv", threads, "-o",
                             "h" + threads)
        self.assertEqual(self.lines("1"), self.lines("3"))
        self.run_program("simulate", "p.yaml", "--quiet", "--csv=s", "-o", "hs", "--set", "numerics.seed=2")
        self.assertNotEqual(self.lines("1"), self.lines("s"))

    def test_against_solver(self):
        """Two routes to the same curves; 5 standard errors, since those of few runs are rough themselves."""
        self.run_program("solve", "p.yaml", "--quiet", "--set=numerics.paths=4000", "--set=numerics.steps=24")
        self.run_program("simulate", "p.yaml", "--quiet", "--csv=s.csv", "-o", "s.h5", "--set=simulate.d=1000",
                         "--set=simulate.repetitions=40")
        done = self.run_program("compare", "s.csv", "p.csv", "--sigma=5")
        self.assertIn("all 6 columns agree", done.stdout)

    def test_divergence(self):
        done = self.run_program("simulate", "p.yaml", "--set=eta=5", "--set=model.predict=r", "--set=horizon=60",
                                code=3)
        self.assertIn("diverge", done.stderr)
        self.assertIn("written (incomplete)", done.stdout)
        self.assertIn("# status: diverged\n", self.read("p.csv"))
        rows = self.lines("p.csv")[1:]
        self.assertTrue(1 <= len(rows) < 4)
        self.assertNotIn("nan", "".join(rows))

    def test_accuracy(self):
        """Repetitions are added until standard errors meet the accuracy; the result is that of as many given."""
        self.write("q.yaml", support.PROBLEM + "simulate: {d: 120}\n")
        done = self.run_program("simulate", "q.yaml", "--accuracy=0.03", "--threads=1")
        self.assertIn("0.03 asked", done.stdout)
        text = self.read("q.csv")
        repetitions = int(text.split("# replicas: ")[1].split()[0])
        self.assertGreater(repetitions, 20)
        header, *rows = self.lines("q.csv")
        names = header.split(",")
        for row in rows:
            values = dict(zip(names, map(float, row.split(","))))
            for name in "train_loss", "test_loss", "q11":
                self.assertLessEqual(values[name + "_se"], 0.03 * values[name])
        problem = [line[11:] for line in text.splitlines() if line.startswith("# problem: ")]
        self.write("again.yaml", "\n".join(problem) + "\n")
        self.run_program("simulate", "again.yaml", "--quiet", "--threads=2")
        self.assertEqual(self.lines("q.csv"), self.lines("again.csv"))
        self.run_program("simulate", "p.yaml", "--accuracy=0.03", "--quiet")
        self.assertIn("# replicas: 5\n", self.read("p.csv"))  # which are given

    def test_accuracy_missed(self):
        self.write("q.yaml", support.PROBLEM + "simulate: {d: 120}\n")
        done = self.run_program("simulate", "q.yaml", "--accuracy=1e-4", "--set=numerics.time_limit=0.3", code=3)
        for part in "accuracy not reached: the standard error of", "asked was 0.0001", "numerics.time_limit is over":
            self.assertIn(part, done.stderr)
        self.assertIn("# status: accuracy not reached\n", self.read("q.csv"))
        self.assertEqual(len(self.lines("q.csv")), 5)

    def test_refusals(self):
        self.refuse("simulate", "p.yaml", "--set=simulate.batch=205", mentions=["simulate.batch: value 205", "1 to 204"])
        self.refuse("simulate", "p.yaml", "--set=simulate.d=100000000", code=4, mentions=["simulate.d", "GiB"])
        self.refuse("simulate", "p.yaml", "--set=penalty=th3", mentions=["penalty", "th1"])
        self.refuse("simulate", "missing.yaml", mentions=["missing.yaml"])

    def test_interrupt(self):
        run = subprocess.Popen(
            [support.PROGRAM, "simulate", "p.yaml", "--threads=2", "--set=simulate.repetitions=1000000"],
            cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        run.stdout.readline()  # printed before the work begins
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 130, err)
        self.assertIn("of 1000000 repetitions are kept, up to output time 4 of 4", err)
        self.assertIn("# status: interrupted\n", self.read("p.csv"))
        self.assertEqual(len(self.lines("p.csv")), 5)
        self.assertTrue(os.path.exists(self.path("p.h5")))


if __name__ == "__main__":
    support.main()
