"""sgdmft compare: verdicts, exit codes and the table. The arithmetic is tested in tests/io/test_compare.c."""

import support

A = """\
# program: solve
t,q11,q11_se,m11,m11_se,R11,R11_se
0,1,0,0.2,0,1,0
1,1.25,0.01,0.55,0.02,0.5,0
2,1.5,0.01,0.7,0.02,0.3,0
"""
B = """\
# independent finite-d simulation: d=3000
t,q11,q11_se,m11,m11_se
0,1,0,0.2,0
1,1.28,0,0.53,0.01
2,1.505,0.02,0.71,0.01
"""


class Compare(support.ProgramTest):
    def compare(self, a, b, *options, code=0):
        self.write("a.csv", a)
        self.write("b.csv", b)
        done = self.run_program("compare", "a.csv", "b.csv", *options, code=code)
        self.assertEqual(self.files(), ["a.csv", "b.csv"])
        return done

    def test_agree(self):
        text = self.compare(A, B).stdout
        for part in ["A  a.csv  (program: solve)", "independent finite-d simulation", "3 times compared, t = 0 to 2\n",
                     "not compared, only in A: R11", "all 2 columns agree"]:
            self.assertIn(part, text)
        line = next(line for line in text.splitlines() if line.startswith("q11")).split()
        self.assertEqual(line[:6], ["q11", "3.00", "4", "1", "1.25", "1.28"])
        self.assertAlmostEqual(float(line[6]), 0.03 / 1.505, places=4)
        self.assertEqual(line[-1], "agrees")

    def test_differ(self):
        text = self.compare(A, B, "--sigma", "2.9", code=1).stdout
        self.assertIn("1 of 2 columns differ", text)
        self.assertIn("DIFFERS at 1 of 3", text)
        self.compare(A, B, "--sigma=2.9", "--rtol=0.02")
        self.compare(A, B, "--sigma=2.9", "--rtol=0.0199", code=1)

    def test_few_replicas(self):
        """4 replicas on each side: 6 degrees of freedom if both errors are equal, 3 if one side's error counts."""
        def table(value, se, replicas):
            return f"# replicas: {replicas}\nt,x,x_se\n0,0,0.001\n1,{value},{se}\n"

        def limit(a, b, code=0):
            line = next(x for x in self.compare(a, b, code=code).stdout.splitlines() if x.startswith("x "))
            return float(line.split()[2])

        # scipy.stats.t.isf(scipy.stats.norm.sf(4), 6), and with 3 degrees of freedom
        self.assertAlmostEqual(limit(table(0.9, 0.1, 4), table(0, 0.1, 4)), 9.84, places=2)
        self.assertAlmostEqual(limit(table(1.5, 0.1, 4), table(0, 0.1, 4), code=1), 9.84, places=2)
        self.assertAlmostEqual(limit(table(0.9, 0.1, 4), table(0, 0, 4)), 32.6, places=1)
        self.assertAlmostEqual(limit(table(0.9, 0.1, 4), table(0, 0.00001, 1)), 32.6, places=1)

    def test_not_complete(self):
        problem = "# problem: horizon: 2.0\n"
        self.compare(problem + A, B)
        text = self.compare(problem + "".join(A.splitlines(True)[:4]), B, code=1).stdout
        self.assertIn("all 2 columns agree\na.csv is not complete: rows are missing: ends at t = 1, and its problem at 2",
                      text)
        text = self.compare(A, "# status: diverged\n" + B, code=1).stdout
        self.assertIn("b.csv is not complete: diverged: ends at t = 2\n", text)

    def test_not_a_number(self):
        text = self.compare(A.replace("1.25", "nan"), B, code=1).stdout
        self.assertIn("nan", text)

    def test_exact(self):
        text = self.compare("t,x,x_se\n0,1,0\n", "t,x,x_se\n0,1.0000001,0\n").stdout
        self.assertIn("exact", text)
        self.compare("t,x,x_se\n0,1,0\n", "t,x,x_se\n0,1.00001,0\n", code=1)

    def test_subset_of_times(self):
        text = self.compare("t,x,x_se\n0,1,.1\n0.5,9,.1\n1,2,.1\n", "t,x,x_se\n0,1,.1\n1,2,.1\n").stdout
        self.assertIn("2 times compared", text)
        self.assertNotIn("interpolated", text)

    def test_interpolated_times(self):
        fine = "t,x,x_se\n" + "".join(f"{t / 10},{(t / 10)**3},0\n" for t in range(11))
        text = self.compare(fine, "t,x,x_se\n0.25,0.015625,0\n0.5,.125,0\n0.75,0.421875,0\n1.5,7,0\n").stdout
        self.assertIn("3 times compared, t = 0.25 to 0.75; 2 interpolated in A by a local cubic; 1 left", text)

    def test_bad_input(self):
        cases = [
            ("x,y\n1,2\n", "a.csv:1: the header has no column 't'"),
            ("t,q11,q11_se\n0,1,0\n1,2\n", "a.csv:3: 2 values in this row"),
            ("t,q11,q11_se\n0,one,0\n", "a.csv:2: column 'q11': 'one' is not a number"),
            ("t,z,z_se\n0,1,0\n", "no columns in common"),
            ("t,q11\n0,1\n", "no column 'q11_se'"),
            ("t,q11,q11_se\n7,1,0\n", "no times in common"),
            ("", "no header line"),
        ]
        for text, part in cases:
            done = self.compare(text, B, code=2)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_two_solves(self):
        """Solves of different seeds agree; with another step size they do not."""
        self.write("p.yaml", support.PROBLEM)
        for name, override in [("a", "numerics.seed=5"), ("b", "numerics.seed=7"), ("c", "eta=1.5")]:
            overrides = ["--set", "numerics.replicas=8", "--set", override]
            self.run_program("solve", "p.yaml", "--quiet", *overrides, "-o", f"{name}.h5", "--csv", f"{name}.csv")
        self.run_program("compare", "a.csv", "b.csv", "--sigma", "6")
        self.run_program("compare", "a.csv", "c.csv", "--sigma", "6", code=1)


if __name__ == "__main__":
    support.main()
