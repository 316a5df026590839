"""sgdmft solve: files, errors, marks on incomplete results, interruption."""

import os
import resource
import signal
import subprocess
import time

import support


class Solve(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", support.PROBLEM)

    def comments(self, name):
        pairs = [line[2:].split(": ", 1) for line in self.read(name).splitlines() if line.startswith("# ")]
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] != "problem"}

    def rows(self, name):
        lines = [line for line in self.read(name).splitlines() if not line.startswith("#")]
        return lines[0].split(","), [[float(x) for x in line.split(",")] for line in lines[1:]]

    def test_default_outputs(self):
        os.mkdir(self.path("sub"))
        os.rename(self.path("p.yaml"), self.path("sub/my.problem.yaml"))
        done = self.run_program("solve", "sub/my.problem.yaml", "--threads=1")
        self.assertEqual(self.files(), ["my.problem.csv", "my.problem.h5", "sub"])
        self.assertEqual(done.stderr, "")
        for part in ["estimated", "0.005 asked,", "300 in each of 3 replicas", "visits", "largest residual", "largest standard error",
                     "largest step error", "identity", " z = ", "wall", "CPU", "my.problem.h5, my.problem.csv"]:
            self.assertIn(part, done.stdout)
        header, rows = self.rows("my.problem.csv")
        self.assertEqual(
            header,
            "t,train_loss,train_loss_se,test_loss,test_loss_se,q11,q11_se,m11,m11_se,train_margin,train_margin_se,"
            "test_margin,test_margin_se,R11,R11_se".split(","),
        )
        self.assertEqual([row[0] for row in rows], [0.0, 0.5, 1.0, 1.5])
        self.assertEqual(rows[0][5:9], [1.1, 0.0, 0.3, 0.0])
        self.assertEqual(rows[0][13:], [1.0, 0.0])
        comments = self.comments("my.problem.csv")
        self.assertEqual(comments["program"], "solve")
        self.assertEqual(comments["command"], "sgdmft solve sub/my.problem.yaml --threads=1")
        self.assertEqual(comments["seed"], "1234567890123456789")
        self.assertEqual(comments["status"], "ok")
        self.assertLessEqual(float(comments["residual_max"]), 1e-8)
        self.assertGreater(float(comments["wall_seconds"]), 0.0)
        with open(self.path("my.problem.h5"), "rb") as file:
            self.assertEqual(file.read(8), b"\x89HDF\r\n\x1a\n")

    def test_accuracy(self):
        """--accuracy is numerics.accuracy: what is not given is chosen for it, and to miss it is a failure."""
        open_numerics = ["--set=numerics.paths=null", "--set=numerics.replicas=null", "--set=numerics.steps=null"]
        done = self.run_program("solve", "p.yaml", "--accuracy", "0.02", *open_numerics)
        self.assertEqual(done.stderr, "")
        self.assertRegex(done.stdout, r"accuracy +0\.02 asked, 0\.0\d+ reached\n")
        comments = self.comments("p.csv")
        self.assertEqual((comments["status"], float(comments["accuracy"])), ("ok", 0.02))
        self.assertLessEqual(float(comments["accuracy_reached"]), 0.02)
        problem = [line[len("# problem: "):] for line in self.read("p.csv").splitlines() if line.startswith("# problem")]
        self.assertIn("  accuracy: 0.02", problem)
        self.assertIn(f"  steps: {comments['steps']}", problem)
        # The problem in the file, solved again, gives the same numbers.
        self.write("again.yaml", "\n".join(problem) + "\n")
        self.run_program("solve", "again.yaml", "--quiet")
        self.assertEqual(self.rows("again.csv"), self.rows("p.csv"))
        # Given numbers stay, and miss it.
        done = self.run_program("solve", "p.yaml", "--accuracy=0.001", "--force", code=3)
        self.assertRegex(done.stderr, r"sgdmft: accuracy not reached: .* asked was 0\.001; it is noise; hint: more ")
        self.assertIn("300 in each of 3 replicas", done.stdout)
        self.assertEqual(self.comments("p.csv")["status"], "accuracy not reached")
        self.assertEqual(len(self.rows("p.csv")[1]), 4)
        self.refuse("solve", "p.yaml", "--accuracy=0.6", "--force", mentions=["numerics.accuracy", "0.5"])
        self.refuse("solve", "p.yaml", "--accuracy=fine", "--force", mentions=["numerics.accuracy", "fine"])

    def test_named_outputs(self):
        done = self.run_program("solve", "p.yaml", "-oa.h5", "--csv=b.csv", "--quiet", "--set", "delta=3.125")
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.files(), ["a.h5", "b.csv", "p.yaml"])
        self.assertIn("# problem: delta: 3.125\n", self.read("b.csv"))
        command = "sgdmft solve p.yaml -oa.h5 --csv=b.csv --quiet --set delta=3.125"
        self.assertEqual(self.comments("b.csv")["command"], command)

    def test_command_is_quoted(self):
        os.rename(self.path("p.yaml"), self.path("it's a.yaml"))
        self.run_program("solve", "it's a.yaml", "--quiet", "-o", "a b.h5", "--csv", "c.csv")
        self.assertEqual(
            self.comments("c.csv")["command"], "sgdmft solve 'it'\\''s a.yaml' --quiet -o 'a b.h5' --csv c.csv"
        )

    def test_nothing_is_overwritten(self):
        for name in ["p.h5", "p.csv"]:
            self.write(name, "precious\n")
            # At once, not after the solve: this problem would take days.
            mentions = [name, "exists already", "--force"]
            self.refuse("solve", "p.yaml", "--set=numerics.steps=4000", code=4, mentions=mentions)
            self.assertEqual(self.read(name), "precious\n")
            os.unlink(self.path(name))
        self.write("p.csv", "precious\n")
        self.run_program("solve", "p.yaml", "--quiet", "--force", "--force")
        self.assertIn("# status: ok", self.read("p.csv"))
        self.run_program("solve", "p.yaml", "--quiet", "--force")

    def test_problem_file_is_safe(self):
        for option in ["-o", "--csv"]:
            self.refuse("solve", "p.yaml", option, "./p.yaml", "--force", mentions=["p.yaml", "would be overwritten"])
        self.refuse("solve", "p.yaml", "-o", "x", "--csv", "x", mentions=["same file"])
        self.assertEqual(self.read("p.yaml"), support.PROBLEM)

    def test_bad_places(self):
        self.refuse("solve", "p.yaml", "-o", "no/p.h5", code=4, mentions=["'no' does not exist"])
        self.refuse("solve", "p.yaml", "--csv", "p.yaml/p.csv", code=4, mentions=["not a directory"])
        os.mkdir(self.path("p.csv"))
        self.refuse("solve", "p.yaml", code=4, mentions=["p.csv", "is a directory"])

    def test_full_disk(self):
        done = self.run_program("solve", "p.yaml", "--csv", "/dev/full", code=4)
        self.assertIn("'/dev/full': cannot write: No space left", done.stderr)
        self.assertEqual(self.files(), ["p.h5", "p.yaml"])
        os.unlink(self.path("p.h5"))

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        done = self.run_program("solve", "p.yaml", "--quiet", code=4, preexec_fn=small_files)
        self.assertIn("'p.h5': cannot write: File too large", done.stderr)
        self.assertEqual(self.files(), ["p.yaml"], "nothing half-written stays behind")

    def test_closed_output(self):
        """The result is written although standard output is closed, and not into the wrong file."""
        done = subprocess.run(
            f"'{support.PROGRAM}' solve p.yaml >&-", shell=True, cwd=self.directory, stderr=subprocess.PIPE, text=True
        )
        self.assertEqual(done.returncode, 4)
        self.assertIn("cannot write to standard output", done.stderr)
        self.assertEqual(self.files(), ["p.csv", "p.h5", "p.yaml"])
        self.assertTrue(self.read("p.csv").startswith("# program: solve\n"))

    def test_threads_do_not_matter(self):
        for paths in [300, 6000]:  # without a pilot and with one
            for n in ["1", "2"]:
                self.run_program("solve", "p.yaml", "--quiet", "--force", f"--set=numerics.paths={paths}",
                                 f"--threads={n}", "--csv", f"{n}.csv", "-o", f"{n}.h5")
            self.assertEqual(self.rows("1.csv"), self.rows("2.csv"))

    def test_too_noisy(self):
        """The program warns of standard errors of the size of the curves."""
        noisy = ["numerics.paths=160", "numerics.steps=64", "numerics.response=stein", "horizon=20",
                 "numerics.history=full"]
        done = self.run_program("solve", "p.yaml", "--threads=1", *[f"--set={key}" for key in noisy])
        self.assertRegex(done.stderr, r"warning: p\.yaml: standard errors reach \d+ % of the scale of a curve: 160 ")
        self.assertIn("hint: raise numerics.paths", done.stderr)
        done = self.run_program("solve", "p.yaml", "--threads=1", "--force")
        self.assertNotIn("standard errors", done.stderr)

    def test_diverging(self):
        """Without a solution the exit code is 3, and the results up to then are written and marked."""
        self.write("p.yaml", support.PROBLEM.replace("tanh(r)", "r"))
        done = self.run_program("solve", "p.yaml", "--set", "eta=4.5", "--set", "horizon=60", code=3)
        self.assertIn("t = ", done.stderr)
        self.assertIn("written (incomplete)", done.stdout)
        self.assertEqual(self.files(), ["p.csv", "p.h5", "p.yaml"])
        comments = self.comments("p.csv")
        self.assertIn(comments["status"], ["diverged", "not converged", "not finite"])
        self.assertIn(comments["message"], done.stderr)
        self.assertLess(self.rows("p.csv")[1][-1][0], 60.0)


def processor_time(pid):
    """Seconds that all threads of a process have used so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Interruption(support.ProgramTest):
    def interrupt(self, number):
        self.write("p.yaml", support.PROBLEM)
        arguments = [support.PROGRAM, "solve", "p.yaml", "--set", "numerics.steps=3000", "--threads", "1"]
        process = subprocess.Popen(arguments, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(process.kill)
        self.assertIn("estimated", process.stdout.readline())  # signals are caught by now
        process.send_signal(number)
        out, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("stopping", err)
        self.assertIn("interrupted", err)
        self.assertIn("written (incomplete)", out)
        self.assertEqual(self.files(), ["p.csv", "p.h5", "p.yaml"])
        self.assertIn("# status: interrupted\n", self.read("p.csv"))

    def stop_early(self, seconds, *arguments, problem=support.PROBLEM):
        """Interrupts a run that draws inputs or makes tables for a long time, and returns what it writes to stderr.

        What counts is the processor time that the program still takes, which does not depend on what else the machine
        does. It is at most about one second, most of it in the 0.3 s in which the work may come to an end of its own
        on two threads; a whole run takes 20 s or more.
        """
        self.write("p.yaml", problem)
        earlier = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen([support.PROGRAM, *arguments, "--threads", "2", "--force"], cwd=self.directory,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertIn("estimated", process.stdout.readline())
        time.sleep(seconds)
        before = processor_time(process.pid)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=200)[1]
        total = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("interrupted", err)
        self.assertLess(total.ru_utime + total.ru_stime - earlier.ru_utime - earlier.ru_stime - before, 3)
        return err

    def test_long_preparations(self):
        for seconds in [0.2, 1]:
            for history in ("full", "merged"):
                self.stop_early(seconds, "solve", "p.yaml", "--set", "horizon=3e4", "--set", "numerics.paths=6500",
                                "--set", f"numerics.history={history}")
            self.stop_early(seconds, "solve", "p.yaml", "--set", "numerics.paths=200000", "--set", "numerics.steps=500")
        linear = ("delta: 2\nhorizon: 1e4\nmodel: {label: s, predict: r, loss: (f - y)^2/2}\n"
                  "numerics: {method: linear, steps: 4000}\n")
        self.stop_early(1, "solve", "p.yaml", problem=linear)

    def test_ctrl_c(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)


if __name__ == "__main__":
    support.main()
