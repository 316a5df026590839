"""Command lines: help, version, and everything that must be refused."""

import re
import subprocess

import support

SUBCOMMANDS = ["solve", "validate", "sweep", "compare", "plot", "check", "reference", "cite"]


class Arguments(support.InRoom):
    def test_help(self):
        text = self.run_program("--help").stdout
        for name in SUBCOMMANDS:
            self.assertRegex(text, rf"(?m)^  {name} ")
            page = self.run_program(name, "--help").stdout
            self.assertTrue(page.startswith(f"usage: sgdmft {name}"), page)
            self.assertIn("--help", page)
            self.assertEqual(self.run_program(name, "-h").stdout, page)
            # Help wins over whatever else is wrong.
            self.assertEqual(self.run_program(name, "--wrong", "--help").stdout, page)
            self.assertLessEqual(max(map(len, page.splitlines())), 120)
        self.assertEqual(self.run_program("-h").stdout, text)

    def test_version(self):
        text = self.run_program("--version").stdout
        self.assertRegex(text, r"\Asgdmft \d+\.\d+\.\d+\n.*HDF5 \d+\.\d+\.\d+, GSL .*\n\Z")
        self.assertIsNone(re.search(r"(^|[ ,])/", text), "no paths")

    def test_no_subcommand(self):
        self.refuse(says=["no subcommand", "--help"])

    def test_unknown_subcommand(self):
        self.refuse("slove", says=["unknown subcommand 'slove'", "did you mean 'solve'?"])
        self.refuse("--verison", says=["unknown option '--verison'", "did you mean '--version'?"])
        done = self.refuse("zzzzzzzz", says=["unknown subcommand 'zzzzzzzz'"])
        self.assertNotIn("did you mean", done.stderr)

    def test_unknown_option(self):
        self.refuse("solve", "p.yaml", "--froce", says=["unknown option '--froce'", "did you mean '--force'?"])
        self.refuse("solve", "p.yaml", "--tread=3", says=["unknown option '--tread'", "did you mean '--threads'?"])
        self.refuse("solve", "p.yaml", "--forc", says=["'--force'"])
        self.refuse("solve", "p.yaml", "-x", says=["unknown option '-x'"])
        self.refuse("compare", "a", "b", "--force", says=["unknown option '--force'", "sgdmft compare --help"])

    def test_values(self):
        self.refuse("solve", "p.yaml", "--set", says=["'--set' needs a value", "KEY=VALUE"])
        self.refuse("solve", "p.yaml", "-o", says=["'-o' needs a value"])
        self.refuse("solve", "p.yaml", "--quiet=yes", says=["'--quiet' takes no value"])
        self.refuse("solve", "p.yaml", "--csv=a", "--csv", "b", says=["'--csv' is given twice"])
        for wrong in ["0", "-1", "two", "1.5", "", "4097", "99999999999999999999"]:
            self.refuse("solve", "p.yaml", "--threads", wrong, says=["--threads", f"'{wrong}'", "1 to 4096"])
        for wrong in ["0", "-4", "nan", "inf", "4x", ""]:
            self.refuse("compare", "a", "b", f"--sigma={wrong}", says=["--sigma", f"'{wrong}'"])
        for wrong in ["-0.1", "2", "x"]:
            self.refuse("compare", "a", "b", "--rtol", wrong, says=["--rtol", f"'{wrong}'", "0 to 1"])

    def test_operands(self):
        self.refuse("solve", says=["no file name is given", "sgdmft solve PROBLEM.yaml"])
        self.refuse("compare", "a", says=["a file name is missing", "A.csv|.h5 B.csv|.h5"])
        self.refuse("compare", "a", "b", "c", says=["'c' is one argument too many"])
        self.refuse("reference", "x", says=["'x' is one argument too many"])

    def test_unreadable_input(self):
        for arguments in [("solve", "no.yaml"), ("check", "no.yaml"), ("compare", "no.yaml", "b"),
                          ("plot", "no.yaml", "-o", "f.svg")]:
            self.refuse(*arguments, says=["cannot read 'no.yaml'", "No such file"])
        self.refuse("solve", ".", says=["cannot read '.'", "directory"])

    def test_double_dash(self):
        self.write("--odd.yaml", support.PROBLEM)
        self.assertIn("delta: 1.7", self.run_program("check", "--", "--odd.yaml").stdout)
        self.refuse("check", "--", "--help", says=["cannot read '--help'"])


class Printing(support.InRoom):
    def test_check(self):
        self.write("p.yaml", support.PROBLEM)
        overrides = ["--set", "delta=2.625", "--set=numerics.steps=12"]
        text = self.run_program("check", "p.yaml", *overrides, "--threads=1").stdout
        self.assertIn("delta: 2.625\n", text)
        self.assertIn("  steps: 12\n", text)
        self.assertIn("  seed: 1234567890123456789\n", text)
        self.assertRegex(text.splitlines()[-1], r"^# estimated: .* of memory: .* a path, .* a pair of time steps \(.* available\), about .* on 1 thread$")
        # What is printed is a problem file again, of the same problem.
        self.write("again.yaml", text)
        again = self.run_program("check", "again.yaml", "--threads", "1").stdout
        self.assertEqual(again.splitlines()[:-1], text.splitlines()[:-1])
        self.assertEqual(self.files(), ["again.yaml", "p.yaml"])

    def test_check_refuses(self):
        self.write("p.yaml", support.PROBLEM.replace("delta:", "detla:"))
        self.refuse("check", "p.yaml", says=["p.yaml:1:1", "'detla'", "'delta'"])
        self.write("p.yaml", support.PROBLEM)
        self.refuse("check", "p.yaml", "--set", "delta=-1", says=["delta", "-1"])
        self.refuse("solve", "p.yaml", "--set", "stepps=3", says=["stepps"])

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
        """Where standard output cannot be written to, the exit code says so."""
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
