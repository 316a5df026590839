"""The program under mpirun: any number of ranks gives the same bytes, prints a failure once, and does not hang."""

import os
import signal
import subprocess

import h5py

import support

MPIRUN = os.environ["SGDMFT_MPIRUN"]
# More ranks than cores, and as root in a container.
os.environ.update(
    OMPI_ALLOW_RUN_AS_ROOT="1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    OMPI_MCA_rmaps_base_oversubscribe="1",
    OMPI_MCA_mpi_yield_when_idle="1",
)

# Enough paths for several blocks of each rank; two replicas, so that three ranks or more share their paths.
PROBLEM = support.PROBLEM.replace("paths: 300, replicas: 3", "paths: 3000, replicas: 2")


class WithRanks(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", PROBLEM)

    def run_ranks(self, n, *arguments, code=0):
        return self.launch(["-n", str(n), support.PROGRAM, *arguments], code)

    def launch(self, arguments, code):
        done = subprocess.run([MPIRUN, *arguments], cwd=self.directory, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def messages(self, done):
        return [line for line in done.stderr.splitlines() if line.startswith("sgdmft: ")]

    def curves(self, name):
        own = ("# command", "# memory_bytes", "# wall_seconds", "# cpu_seconds")
        return [line for line in self.read(name).splitlines() if not line.startswith(own)]

    def arrays(self, name):
        found = {}

        def take(path, item):
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
                found[path] = item[...].tobytes()

        with h5py.File(self.path(name)) as file:
            file.visititems(take)
        return found

    def same(self, a, b):
        self.assertEqual(self.curves(a + ".csv"), self.curves(b + ".csv"))
        self.assertEqual(self.arrays(a + ".h5"), self.arrays(b + ".h5"))


class Solve(WithRanks):
    def same_on_all(self, *overrides, ranks=(1, 2, 4), code=0):
        sets = [f"--set={s}" for s in overrides]
        self.run_program("solve", "p.yaml", "--quiet", "--force", "-oone.h5", "--csv=one.csv", *sets, code=code)
        for n in ranks:
            done = self.run_ranks(n, "solve", "p.yaml", "--quiet", "--force", "--threads=1", "-on.h5", "--csv=n.csv",
                                  *sets, code=code)
            self.assertEqual(len(self.messages(done)), 1 if code else 0, done.stderr)
            self.same("one", "n")

    def test_stein(self):
        self.same_on_all("numerics.response=stein", ranks=(1, 2, 3, 4))

    def test_pilot(self):
        """Rank 0 finds the directions of the field for all."""
        self.same_on_all("numerics.paths=9000", ranks=(2, 3))

    def test_pathwise(self):
        """With the control variable, and paths sorted by visits."""
        self.same_on_all("numerics.response=pathwise")

    def test_picard(self):
        self.same_on_all("numerics.method=picard", ranks=(4,))

    def test_other_dynamics(self):
        self.same_on_all("dynamics=sme", ranks=(3,))
        self.same_on_all("dynamics=gradient-flow", ranks=(4,))

    def test_penalty(self):
        """Coordinates are recorded on the rank that solves, and sent."""
        self.same_on_all("penalty=0.1*sqrt(th1^2 + 0.01)", "output.histograms=[1.0]", ranks=(2, 3))

    def test_rank_0_alone(self):
        self.same_on_all("model.predict=r", "model.label=s", "observables.margin=null", "numerics.method=linear",
                         ranks=(2,))

    def test_diverging(self):
        self.same_on_all("model.predict=r", "eta=4.5", "horizon=60", ranks=(2, 4), code=3)

    def test_threads(self):
        self.run_program("solve", "p.yaml", "--quiet", "-oone.h5", "--csv=one.csv")
        self.run_ranks(3, "solve", "p.yaml", "--threads=2", "--quiet", "-on.h5", "--csv=n.csv")
        self.same("one", "n")

    def test_only_rank_0_prints(self):
        done = self.run_ranks(3, "solve", "p.yaml", "--threads=1")
        self.assertEqual(done.stdout.count("estimated"), 1)
        self.assertEqual(done.stdout.count("written"), 1)
        self.assertEqual(self.files(), ["p.csv", "p.h5", "p.yaml"])
        self.assertEqual(self.run_ranks(3, "check", "p.yaml").stdout.count("estimated"), 1)


class Failures(WithRanks):
    def once(self, done, *mentions):
        messages = self.messages(done)
        self.assertEqual(len(messages), 1, done.stderr)
        for part in mentions:
            self.assertIn(part, messages[0])
        self.assertEqual(self.files(), ["p.yaml"])

    def test_everywhere(self):
        self.once(self.run_ranks(3, "solve", "p.yaml", "--set", "etta=1", code=2), "etta", "did you mean 'eta'?")
        self.once(self.run_ranks(3, "solve", "none.yaml", code=2), "none.yaml")
        self.once(self.run_ranks(3, "solve", "p.yaml", "-o", "no/p.h5", code=4), "'no' does not exist")
        self.once(self.run_ranks(2, "solve", "p.yaml", "--set", "model.loss=1/(f-y)", code=2), "pole")

    def test_on_one_rank(self):
        """Rank 0 would go on, and prints the failure of another rank."""
        good = ["-n", "1", support.PROGRAM, "solve", "p.yaml"]
        bad = ["-n", "1", support.PROGRAM, "solve"]
        self.once(self.launch([*good, ":", *bad, "none.yaml"], 2), "none.yaml")
        memory = [*bad, "p.yaml", "--set", "numerics.paths=1000000000"]
        self.once(self.launch([*good, ":", *memory, ":", *good], 4), "GiB of memory")


class Sweep(WithRanks):
    OVER = ("--over", "eta=0.3,0.4,4.5,0.5", "--set", "model.predict=r", "--set", "horizon=8")

    def table(self, name):
        return [line for line in self.read(name).splitlines() if not line.startswith("# command")]

    def test_points_over_ranks(self):
        self.run_program("sweep", "p.yaml", *self.OVER, "-o", "one", code=3)
        for n in [2, 3]:
            done = self.run_ranks(n, "sweep", "p.yaml", *self.OVER, "--threads=1", "-o", str(n), code=3)
            errors = [line for line in self.messages(done) if not line.startswith("sgdmft: warning: ")]
            self.assertEqual(len(errors), 1, done.stderr)
            self.assertIn("point 3 (eta=4.5): ", done.stderr)
            self.assertEqual(done.stdout.count("written"), 1)
            self.assertEqual(self.table("one/sweep.csv"), self.table(f"{n}/sweep.csv"))
            for i in range(1, 5):
                self.same(f"one/{i:03}", f"{n}/{i:03}")
        for ending in ["csv", "h5"]:
            os.unlink(self.path(f"2/002.{ending}"))
        self.run_ranks(2, "sweep", "p.yaml", *self.OVER, "--threads=1", "-o", "2", "--resume", code=3)
        self.assertEqual(self.table("one/sweep.csv"), self.table("2/sweep.csv"))

    def test_refusals(self):
        done = self.run_ranks(2, "sweep", "p.yaml", "--over", "eta=1,-1", code=2)
        self.assertEqual(len(self.messages(done)), 1, done.stderr)
        self.assertEqual(self.files(), ["p.yaml"])
        self.write("p-sweep", "a file\n")
        done = self.run_ranks(2, "sweep", "p.yaml", "--over", "eta=1,2", code=4)
        self.assertEqual(len(self.messages(done)), 1, done.stderr)


class Interruption(WithRanks):
    def rank(self, process, n):
        """The process of a rank, a child of mpirun."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{name}/environ", encoding="utf-8") as file:
                    environment = file.read().split("\0")
            except OSError:
                continue
            if parent == process.pid and f"OMPI_COMM_WORLD_RANK={n}" in environment:
                return int(name)
        self.fail(f"rank {n} is not found")

    def interrupt(self, ranks, target, *arguments):
        """Interrupts one rank; returns standard error."""
        process = subprocess.Popen([MPIRUN, "-n", str(ranks), support.PROGRAM, *arguments, "--threads=1"],
                                   cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertIn("estimated", process.stdout.readline())
        os.kill(self.rank(process, target), signal.SIGINT)
        out, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("written (incomplete)", out)
        return err

    def interrupt_solve(self, ranks, target):
        err = self.interrupt(ranks, target, "solve", "p.yaml", "--set=numerics.steps=1000")
        self.assertIn("interrupted", err)
        self.assertIn("# status: interrupted\n", self.read("p.csv"))

    def test_first_rank(self):
        self.interrupt_solve(2, 0)

    def test_another_rank(self):
        self.interrupt_solve(4, 3)

    def test_sweep(self):
        """A rank that is interrupted stops the points of all ranks."""
        err = self.interrupt(2, 1, "sweep", "p.yaml", "--over", "numerics.steps=1000,1001,1002,1003")
        self.assertIn("--resume", err)
        rows = [line.split(",")[2] for line in self.read("p-sweep/sweep.csv").splitlines() if not line.startswith("#")]
        self.assertEqual(set(rows[1:]) - {"interrupted", "not run"}, set())


if __name__ == "__main__":
    support.main()
