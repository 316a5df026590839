"""Command lines: help, version, and all errors; the subcommands that only print."""

import re
import subprocess

import support

SUBCOMMANDS = ["solve", "validate", "sweep", "compare", "plot", "check", "reference", "cite"]


class Arguments(support.ProgramTest):
    def test_help(self):
        text = self.run_program("--help").stdout
        for name in SUBCOMMANDS:
            self.assertRegex(text, rf"(?m)^  {name} ")
            page = self.run_program(name, "--help").stdout
            self.assertTrue(page.startswith(f"usage: sgdmft {name}"), page)
            self.assertIn("--help", page)
            self.assertEqual(self.run_program(name, "-h").stdout, page)
            # With --help everything else is ignored.
            self.assertEqual(self.run_program(name, "--wrong", "--help").stdout, page)
            self.assertLessEqual(max(map(len, page.splitlines())), 120)
        self.assertEqual(self.run_program("-h").stdout, text)

    def test_version(self):
        text = self.run_program("--version").stdout
        self.assertRegex(text, r"\Asgdmft \d+\.\d+\.\d+\n.*HDF5 \d+\.\d+\.\d+, GSL .*\n\Z")
        self.assertIsNone(re.search(r"(^|[ ,])/", text), "no paths")

    def test_no_subcommand(self):
        self.refuse(mentions=["no subcommand", "--help"])

    def test_unknown_subcommand(self):
        self.refuse("slove", mentions=["unknown subcommand 'slove'", "did you mean 'solve'?"])
        self.refuse("--verison", mentions=["unknown option '--verison'", "did you mean '--version'?"])
        done = self.refuse("zzzzzzzz", mentions=["unknown subcommand 'zzzzzzzz'"])
        self.assertNotIn("did you mean", done.stderr)

    def test_unknown_option(self):
        self.refuse("solve", "p.yaml", "--froce", mentions=["unknown option '--froce'", "did you mean '--force'?"])
        self.refuse("solve", "p.yaml", "--tread=3", mentions=["unknown option '--tread'", "did you mean '--threads'?"])
        self.refuse("solve", "p.yaml", "--forc", mentions=["'--force'"])
        self.refuse("solve", "p.yaml", "-x", mentions=["unknown option '-x'"])
        self.refuse("compare", "a", "b", "--force", mentions=["unknown option '--force'", "sgdmft compare --help"])

    def test_values(self):
        self.refuse("solve", "p.yaml", "--set", mentions=["'--set' needs a value", "KEY=VALUE"])
        self.refuse("solve", "p.yaml", "-o", mentions=["'-o' needs a value"])
        self.refuse("solve", "p.yaml", "--quiet=yes", mentions=["'--quiet' takes no value"])
        self.refuse("solve", "p.yaml", "--csv=a", "--csv", "b", mentions=["'--csv' is given twice"])
        for wrong in ["0", "-1", "two", "1.5", "", "4097", "99999999999999999999"]:
            self.refuse("solve", "p.yaml", "--threads", wrong, mentions=["--threads", f"'{wrong}'", "1 to 4096"])
        for wrong in ["0", "-4", "nan", "inf", "4x", ""]:
            self.refuse("compare", "a", "b", f"--sigma={wrong}", mentions=["--sigma", f"'{wrong}'"])
        for wrong in ["-0.1", "2", "x"]:
            self.refuse("compare", "a", "b", "--rtol", wrong, mentions=["--rtol", f"'{wrong}'", "0 to 1"])

    def test_operands(self):
        self.refuse("solve", mentions=["no file name is given", "sgdmft solve PROBLEM.yaml"])
        self.refuse("compare", "a", mentions=["a file name is missing", "A.csv|.h5 B.csv|.h5"])
        self.refuse("compare", "a", "b", "c", mentions=["'c' is one argument too many"])
        self.refuse("reference", "x", mentions=["'x' is one argument too many"])

    def test_unreadable_input(self):
        for arguments in [("solve", "no.yaml"), ("check", "no.yaml"), ("compare", "no.yaml", "b"),
                          ("plot", "no.yaml", "-o", "f.svg")]:
            self.refuse(*arguments, mentions=["cannot read 'no.yaml'", "No such file"])
        self.refuse("solve", ".", mentions=["cannot read '.'", "directory"])

    def test_double_dash(self):
        self.write("--odd.yaml", support.PROBLEM)
        self.assertIn("delta: 1.7", self.run_program("check", "--", "--odd.yaml").stdout)
        self.refuse("check", "--", "--help", mentions=["cannot read '--help'"])


class Printing(support.ProgramTest):
    def test_check(self):
        self.write("p.yaml", support.PROBLEM)
        overrides = ["--set", "delta=2.625", "--set=numerics.steps=12"]
        text = self.run_program("check", "p.yaml", *overrides, "--threads=1").stdout
        self.assertIn("delta: 2.625\n", text)
        self.assertIn("  steps: 12\n", text)
        self.assertIn("  seed: 1234567890123456789\n", text)
        self.assertRegex(text.splitlines()[-1], r"^# estimated: .* of memory: .* per path, .* per pair of time steps "
                         r"\(.* available\), about .* on 1 thread$")
        # The output is a problem file again, of the same problem.
        self.write("again.yaml", text)
        again = self.run_program("check", "again.yaml", "--threads", "1").stdout
        self.assertEqual(again.splitlines()[:-1], text.splitlines()[:-1])
        self.assertEqual(self.files(), ["again.yaml", "p.yaml"])

    def test_check_solvers(self):
        """The solver that would run, and why the others would not."""
        self.write("p.yaml", support.PROBLEM)
        text = self.run_program("check", "p.yaml").stdout
        self.assertIn("\n# solver: self-consistent\n", text)
        self.assertIn("\n# not used: online, as samples are visited again\n", text)
        self.assertNotIn("# exact", text)
        done = self.run_program("check", "p.yaml", "--set", "dynamics=online")
        self.assertIn("\n# solver: online\n", done.stdout)
        self.assertEqual(done.stderr.count("warning: "), 1)
        self.assertNotIn("per path", done.stdout)
        self.write("linear.yaml", support.PROBLEM.replace("tanh(r)", "r").replace("tanh(1.1*s)", "s")
                   .replace('observables: {margin: "y*r"}\n', ""))
        text = self.run_program("check", "linear.yaml").stdout
        self.assertIn("\n# not used: exact linear, as numerics.method is not linear\n", text)
        self.assertIn("\n# exact: this is the linear model", text)
        text = self.run_program("check", "linear.yaml", "--set", "numerics.method=linear").stdout
        self.assertIn("\n# solver: exact linear\n", text)
        self.assertNotIn("# exact:", text)

    def test_check_refuses(self):
        self.write("p.yaml", support.PROBLEM.replace("delta:", "detla:"))
        self.refuse("check", "p.yaml", mentions=["p.yaml:1:1", "'detla'", "'delta'"])
        self.write("p.yaml", support.PROBLEM)
        self.refuse("check", "p.yaml", "--set", "delta=-1", mentions=["delta", "-1"])
        self.refuse("solve", "p.yaml", "--set", "stepps=3", mentions=["stepps"])

    def test_reference(self):
        text = self.run_program("reference").stdout
        self.write("reference.yaml", text)
        self.assertIn("dynamics: sgd", self.run_program("check", "reference.yaml").stdout)

    def test_cite(self):
        text = self.run_program("cite").stdout
        version = self.run_program("--version").stdout.split()[1]
        for part in ["Fan", "Wang", "2601.21093", "@misc{", "@software{", f"version = {{{version}}}"]:
            self.assertIn(part, text)

    def test_lost_output(self):
        """The exit code tells when standard output could not be written."""
        with open("/dev/full", "w") as full:
            done = self.run_program("cite", code=4, stdout=full)
            self.assertIn("cannot write to standard output: No space left", done.stderr)
            done = self.run_program("reference", code=4, stdout=full)  # more than a buffer holds
            self.assertIn("cannot write to standard output", done.stderr)
        done = subprocess.run(f"'{support.PROGRAM}' cite >&-", shell=True, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("cannot write to standard output", done.stderr)


if __name__ == "__main__":
    support.main()
