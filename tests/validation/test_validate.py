"""sgdmft validate: tables, figures and the page of a cheap claim, and what must be refused."""

import csv
import os
import re

import support

CHEAP = ["validate", "--quick", "--only", "delta-to-infinity"]


class Validate(support.ProgramTest):
    def rows(self, directory):
        with open(self.path(os.path.join(directory, "validation.csv")), encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_cheap_claim(self):
        done = self.run_program(*CHEAP)
        self.assertEqual(sorted(os.listdir(self.path("sgdmft-validation"))),
                         ["delta-to-infinity.csv", "delta-to-infinity.svg", "index.html", "validation.csv"])
        rows = self.rows("sgdmft-validation")
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertEqual((row["claim"], row["verdict"]), ("delta-to-infinity", "holds"))
            self.assertTrue(float(row["low"]) <= float(row["value"]) <= float(row["high"]))
        self.assertIn("3 rows hold, 0 fail, 0 not run", done.stdout)
        self.assertEqual(len(re.findall(r"(?m)^delta-to-infinity .* holds$", done.stdout)), 3)
        page = self.read("sgdmft-validation/index.html")
        for target in re.findall(r'(?:href|src)="([^#"]+)"', page):
            self.assertTrue(os.path.exists(self.path(os.path.join("sgdmft-validation", target))), target)
        self.assertIn('src="delta-to-infinity.svg"', page)

        # The same numbers at any number of threads; without Python everything but the figures.
        environment = {**os.environ, "SGDMFT_PYTHON": "/nonexistent/python3"}
        done = self.run_program(*CHEAP, "--threads", "1", "-o", "again", env=environment)
        self.assertIn("SGDMFT_PYTHON", done.stderr)
        for name in ("validation.csv", "delta-to-infinity.csv"):
            self.assertEqual(self.read(f"sgdmft-validation/{name}"), self.read(f"again/{name}"))
        self.assertEqual(sorted(os.listdir(self.path("again"))),
                         ["delta-to-infinity.csv", "index.html", "validation.csv"])
        self.assertNotIn("<img", self.read("again/index.html"))

        # Nothing is overwritten unasked, and that is found before anything runs.
        self.refuse(*CHEAP, "-o", "again", code=4, mentions=["again/", "--force"])

    def test_refusals(self):
        self.refuse("validate", "--only", "delta", mentions=["there is no claim 'delta'"])
        self.refuse("validate", "--only", "batsch", mentions=["did you mean 'batch'?"])
        self.refuse("validate", "problem.yaml", mentions=["problem.yaml"])
        self.refuse("validate", "-o", "no/such", code=4, mentions=["cannot create the directory 'no/such'"])
        self.write("file", "x\n")
        self.refuse("validate", "-o", "file", code=4, mentions=["file"])
        page = self.run_program("validate", "--help").stdout
        for name in ["sgd-simulation", "batch", "sme", "linear", "eta-to-zero", "delta-to-infinity", "orders",
                     "first-epoch", "batch-fraction", "momentum", "gradient-descent", "universality", "identities",
                     "reference"]:
            self.assertIn(name, page)


if __name__ == "__main__":
    support.main()
